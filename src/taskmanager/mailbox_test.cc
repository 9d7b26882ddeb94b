#include "taskmanager/mailbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TaskCheckpointOrder order(CheckpointId id) {
  TaskCheckpointOrder made;
  made.id = id;
  return made;
}

// "a b", "a b end" for splits, "trigger 1"; in front "cancel", "limit 7", "completed 1" or "aborted
// 1".
std::vector<std::string> take(Mailbox& mailbox, bool take_in_order = true) {
  std::vector<std::string> taken;
  const std::optional<Mail> mail = mailbox.take(take_in_order);
  if (!mail) return taken;
  if (mail->cancel) taken.emplace_back("cancel");
  if (mail->alignment_limit) taken.push_back("limit " + std::to_string(*mail->alignment_limit));
  for (const CheckpointEndMail& ended : mail->ended_checkpoints) {
    taken.push_back((ended.completed ? "completed " : "aborted ") + std::to_string(ended.id));
  }
  for (const auto& item : mail->in_order) {
    if (const auto* trigger = std::get_if<TaskCheckpointOrder>(&item)) {
      taken.push_back("trigger " + std::to_string(trigger->id));
      continue;
    }
    std::string text;
    for (const SourceSplit& split : std::get<SplitsMail>(item).splits) text += split.id + " ";
    taken.push_back(text + (std::get<SplitsMail>(item).no_more_splits ? "end" : ""));
  }
  return taken;
}

TEST(MailboxTest, mail_is_taken_once) {
  Mailbox mailbox;
  EXPECT_FALSE(mailbox.take().has_value());
  mailbox.post_alignment_limit(3);
  mailbox.post_alignment_limit(7);
  mailbox.post_splits({{"a", ""}}, false);
  mailbox.post_splits({{"b", ""}}, false);
  mailbox.post_splits({}, true);
  mailbox.post_cancel();
  EXPECT_THAT(take(mailbox), ElementsAre("cancel", "limit 7", "a b end"));
  EXPECT_FALSE(mailbox.take().has_value());
}

TEST(MailboxTest, splits_stay_on_their_side_of_a_trigger) {
  Mailbox mailbox;
  mailbox.post_splits({{"a", ""}}, false);
  mailbox.post_trigger(order(1));
  mailbox.post_splits({{"b", ""}}, false);
  mailbox.post_trigger(order(2));
  EXPECT_THAT(take(mailbox), ElementsAre("a ", "trigger 1"));
  // While checkpoint 1 is prepared, the rest waits; other mail does not.
  mailbox.post_alignment_limit(5);
  EXPECT_THAT(take(mailbox, false), ElementsAre("limit 5"));
  EXPECT_THAT(take(mailbox), ElementsAre("b ", "trigger 2"));
  EXPECT_FALSE(mailbox.take().has_value());
}

TEST(MailboxTest, the_end_of_a_checkpoint_overtakes_and_takes_its_trigger_away) {
  Mailbox mailbox;
  mailbox.post_splits({{"a", ""}}, false);
  mailbox.post_trigger(order(3));
  mailbox.post_checkpoint_ended(2, true);
  mailbox.post_checkpoint_ended(3, false);
  mailbox.post_trigger(order(4));
  EXPECT_THAT(take(mailbox), ElementsAre("completed 2", "aborted 3", "a ", "trigger 4"));
  EXPECT_THAT(take(mailbox), IsEmpty());
}

TEST(MailboxTest, what_waits_is_bounded) {
  Mailbox mailbox;
  for (CheckpointId id = 1; id <= 1000; ++id) mailbox.post_trigger(order(id));
  for (CheckpointId id = 2001; id <= 3000; ++id) mailbox.post_checkpoint_ended(id, false);
  const std::optional<Mail> mail = mailbox.take();
  ASSERT_EQ(mail->ended_checkpoints.size(), Mailbox::kCheckpointsMax);
  EXPECT_EQ(mail->ended_checkpoints.back().id, 3000);
  std::size_t triggers = mail->in_order.size();
  while (mailbox.take()) ++triggers;
  EXPECT_EQ(triggers, Mailbox::kCheckpointsMax);
}

}  // namespace
}  // namespace clepsydra
