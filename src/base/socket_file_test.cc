#include "base/socket_file.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace clepsydra {
namespace {

class SocketFileTest : public ::testing::Test {
 public:
  ~SocketFileTest() override { std::filesystem::remove_all(directory_); }

 protected:
  SocketFileTest() {
    char pattern[] = "/tmp/clepsydra_socket_XXXXXX";
    directory_ = ::mkdtemp(pattern);
    path_ = directory_ + "/s.sock";
  }

  // Connects and sends bytes that need not be a message.
  void send_raw(const std::string& bytes) const {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
    ASSERT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    ASSERT_EQ(::send(fd, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    ::close(fd);
  }

  std::string directory_;
  std::string path_;
};

TEST_F(SocketFileTest, requests_are_answered_side_by_side) {
  const auto server =
      SocketServer::start(path_, [](const std::string& request) { return "<" + request + ">"; });
  ASSERT_TRUE(server.is_ok()) << server.status().to_string();
  EXPECT_EQ((*server)->path(), path_);
  EXPECT_EQ(*ask_socket(path_, "", 5000), "<>");
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      const std::string request(static_cast<std::size_t>(i) * 10'000, 'x');
      EXPECT_EQ(*ask_socket(path_, request, 5000), "<" + request + ">");
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(SocketFileTest, the_file_is_for_its_owner_alone_and_goes_with_the_server) {
  {
    const auto server = SocketServer::start(path_, [](const std::string&) { return ""; });
    ASSERT_TRUE(server.is_ok());
    struct stat found {};
    ASSERT_EQ(::stat(path_.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0600U);
    EXPECT_EQ(SocketServer::start(path_, {}).status().code(), StatusCode::kAlreadyExists);
  }
  EXPECT_EQ(ask_socket(path_, "a", 100).status().code(), StatusCode::kNotFound);
}

TEST_F(SocketFileTest, a_file_that_a_dead_process_left_is_replaced) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ::close(fd);
  EXPECT_EQ(ask_socket(path_, "a", 100).status().code(), StatusCode::kUnavailable);
  const auto server = SocketServer::start(path_, [](const std::string&) { return "new"; });
  ASSERT_TRUE(server.is_ok()) << server.status().to_string();
  EXPECT_EQ(*ask_socket(path_, "a", 5000), "new");
}

TEST_F(SocketFileTest, broken_messages_disturb_nobody) {
  const auto server =
      SocketServer::start(path_, [](const std::string& request) { return request; });
  ASSERT_TRUE(server.is_ok());
  send_raw("");
  send_raw("\x01");
  send_raw(std::string("\x05\0\0\0ab", 6));
  send_raw("\xff\xff\xff\xff????");
  EXPECT_EQ(*ask_socket(path_, "still here", 5000), "still here");
}

TEST_F(SocketFileTest, messages_are_bounded) {
  const auto server = SocketServer::start(
      path_, [](const std::string&) { return std::string(kSocketMessageBytesMax + 1, 'x'); });
  ASSERT_TRUE(server.is_ok());
  EXPECT_EQ(ask_socket(path_, std::string(kSocketMessageBytesMax + 1, 'x'), 5000).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(ask_socket(path_, "a", 5000).status().code(), StatusCode::kDataLoss);
}

TEST_F(SocketFileTest, long_names_are_refused) {
  EXPECT_EQ(SocketServer::start("/" + std::string(200, 'a'), {}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(ask_socket("", "a", 100).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(SocketFileTest, private_directories_are_made_and_checked) {
  const std::string path = directory_ + "/a/b";
  EXPECT_TRUE(create_private_directory(path).is_ok());
  EXPECT_TRUE(create_private_directory(path).is_ok());
  struct stat found {};
  ASSERT_EQ(::stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0700U);
  ::chmod(path.c_str(), 0755);
  EXPECT_EQ(create_private_directory(path).code(), StatusCode::kPermissionDenied);
}

}  // namespace
}  // namespace clepsydra
