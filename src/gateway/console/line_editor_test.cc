#include "gateway/console/line_editor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/memory_file_system.h"
#include "base/utf8.h"
#include "gateway/console/editor_view.h"
#include "gateway/console/keys.h"

namespace clepsydra::console {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kLeft = "\x1b[D";
constexpr std::string_view kUp = "\x1b[A";
constexpr std::string_view kDown = "\x1b[B";

std::vector<Key> keys_of(const std::vector<std::string_view>& pieces) {
  KeyReader reader;
  for (const std::string_view piece : pieces) reader.feed(piece);
  std::vector<Key> keys;
  for (Key key; reader.next(key);) keys.push_back(key);
  return keys;
}

// An editor that somebody types into. Text is complete when it ends with ';'.
struct Typing {
  explicit Typing(const std::vector<std::string>& earlier = {}) {
    for (const std::string& entry : earlier) EXPECT_TRUE(history.add(entry).is_ok());
  }
  EditResult type(std::string_view bytes) {
    EditResult result = EditResult::kGoOn;
    for (const Key& key : keys_of({bytes})) result = editor.handle(key);
    return result;
  }
  // The text with '|' where the cursor stands.
  std::string text() {
    std::string shown = editor.text();
    return shown.insert(editor.cursor(), "|");
  }

  SimulatedClock clock;
  MemoryFileSystem files{clock};
  History history{files, ""};
  std::vector<std::string> candidates;
  LineEditor editor{history,
                    [this](std::string_view text, std::size_t cursor) {
                      return Completion{text.rfind(' ', cursor) + 1, candidates};
                    },
                    [](std::string_view text) { return text.empty() || text.ends_with(';'); }};
};

TEST(KeyReaderTest, sequences_come_in_any_pieces) {
  const std::vector<Key> whole = keys_of({"a\x1b[1;5C\xc3\xa4\x1b\x7f\x12"});
  ASSERT_THAT(whole, ElementsAre(Key{KeyKind::kText, 0, "a"}, Key{KeyKind::kWordRight},
                                 Key{KeyKind::kText, 0, "\xc3\xa4"}, Key{KeyKind::kMetaBackspace},
                                 Key{KeyKind::kControl, 'R'}));
  EXPECT_EQ(keys_of({"a", "\x1b", "[", "1;", "5C\xc3", "\xa4\x1b", "\x7f\x12"}), whole);
}

TEST(KeyReaderTest, an_escape_alone_is_a_key_when_nothing_follows) {
  KeyReader reader;
  reader.feed("\x1b");
  Key key;
  EXPECT_FALSE(reader.next(key));
  reader.settle();
  ASSERT_TRUE(reader.next(key));
  EXPECT_EQ(key.kind, KeyKind::kEscape);
}

TEST(KeyReaderTest, unknown_sequences_and_broken_bytes_are_dropped) {
  EXPECT_THAT(keys_of({"\x1b[99;99X\xff\xc3(\x1b[?1;2cb"}),
              ElementsAre(Key{KeyKind::kText, 0, "("}, Key{KeyKind::kText, 0, "b"}));
}

TEST(KeyReaderTest, a_paste_is_one_key_without_what_could_steer) {
  const Key pasted{KeyKind::kText, 0, "SELECT 1;\nSELECT\t[2J2;\n"};
  const std::string paste = "\x1b[200~SELECT 1;\r\nSELECT\t\x1b[2J2;\r\x1b[201~";
  EXPECT_THAT(keys_of({paste}), ElementsAre(pasted));
  EXPECT_THAT(keys_of({std::string_view(paste).substr(0, 8), std::string_view(paste).substr(8, 25),
                       std::string_view(paste).substr(33)}),
              ElementsAre(pasted));
}

TEST(LineEditorTest, moves_and_erases_by_characters_words_and_lines) {
  Typing typing;
  typing.type("one tw\xc3\xb6 three");
  EXPECT_EQ(typing.text(), "one tw\xc3\xb6 three|");
  typing.type("\x17");  // Ctrl-W
  EXPECT_EQ(typing.text(), "one tw\xc3\xb6 |");
  typing.type(std::string(kLeft) + std::string(kLeft) + "\x7f");
  EXPECT_EQ(typing.text(), "one t|\xc3\xb6 ");
  typing.type("\x01\x04");  // Ctrl-A, Ctrl-D
  EXPECT_EQ(typing.text(), "|ne t\xc3\xb6 ");
  typing.type("\x0b\x19\x19");  // Ctrl-K, Ctrl-Y twice
  EXPECT_EQ(typing.text(), "ne t\xc3\xb6 ne t\xc3\xb6 |");
  typing.type(
      "\x1b"
      "b\x15");  // Alt-B, Ctrl-U
  EXPECT_EQ(typing.text(), "|t\xc3\xb6 ");
}

TEST(LineEditorTest, a_mark_is_one_with_the_character_below_it) {
  Typing typing;
  typing.type("ae\xcc\x81\x7f");  // e and a combining acute accent.
  EXPECT_EQ(typing.text(), "a|");
}

TEST(LineEditorTest, enter_adds_lines_until_the_statement_is_complete) {
  Typing typing;
  EXPECT_EQ(typing.type("SELECT 1\r"), EditResult::kGoOn);
  EXPECT_EQ(typing.type(", 2;\r"), EditResult::kSubmit);
  EXPECT_EQ(typing.editor.take(), "SELECT 1\n, 2;");
  EXPECT_EQ(typing.text(), "|");
}

TEST(LineEditorTest, arrows_move_in_lines_and_then_in_the_history) {
  Typing typing({"old;", "two\nlines;"});
  typing.type("new");
  typing.type(kUp);
  EXPECT_EQ(typing.text(), "two\nlines;|");
  typing.type(kUp);
  EXPECT_EQ(typing.text(), "two|\nlines;");
  typing.type(kUp);
  EXPECT_EQ(typing.text(), "old;|");
  typing.type(kUp);
  EXPECT_EQ(typing.text(), "old;|");
  typing.type(kDown);
  EXPECT_EQ(typing.text(), "two\nlines;|");
  typing.type(kDown);
  EXPECT_EQ(typing.text(), "new|");
}

TEST(LineEditorTest, control_r_searches_backwards_and_control_c_gives_up) {
  Typing typing({"SELECT 1;", "SHOW TABLES;", "SELECT 22;"});
  typing.type("x\x12SEL");
  EXPECT_EQ(typing.text(), "|SELECT 22;");
  typing.type("\x12");
  EXPECT_EQ(typing.text(), "|SELECT 1;");
  EXPECT_EQ(typing.type("\x03"), EditResult::kGoOn);
  EXPECT_EQ(typing.text(), "x|");
  EXPECT_EQ(typing.type("\x12TAB\r"), EditResult::kSubmit);
  EXPECT_EQ(typing.editor.text(), "SHOW TABLES;");
}

TEST(LineEditorTest, tab_completes_as_far_as_all_agree_and_lists_the_rest) {
  Typing typing;
  typing.candidates = {"order_id", "orders"};
  typing.type("SELECT o\t");
  EXPECT_EQ(typing.text(), "SELECT order|");
  EXPECT_THAT(typing.editor.choices(), ElementsAre("order_id", "orders"));
  typing.candidates = {"orders"};
  typing.type("s\t");
  EXPECT_EQ(typing.text(), "SELECT orders|");
  EXPECT_THAT(typing.editor.choices(), IsEmpty());
}

TEST(LineEditorTest, control_c_drops_the_text_and_control_d_leaves_only_without_one) {
  Typing typing;
  typing.type("abc\x01");
  EXPECT_EQ(typing.type("\x04"), EditResult::kGoOn);
  EXPECT_EQ(typing.text(), "|bc");
  EXPECT_EQ(typing.type("\x03"), EditResult::kInterrupt);
  EXPECT_EQ(typing.type("\x04"), EditResult::kEnd);
}

TEST(LineEditorTest, no_bytes_of_any_kind_bring_it_down) {
  const std::vector<std::string> pieces = {"\x1b[A",
                                           "\x1b[B",
                                           "\x1b[C",
                                           "\x1b[D",
                                           "\x1b[H",
                                           "\x1b[F",
                                           "\x1b[3~",
                                           "\x1b[1;5C",
                                           "\x1b[5~",
                                           "\x1b[200~",
                                           "\x1b[201~",
                                           "\x1b",
                                           "\t",
                                           "\r",
                                           "\x7f",
                                           "\x12",
                                           "\x18\x05",
                                           "\x0b",
                                           "\x19",
                                           "\x17",
                                           "\x15",
                                           "\x04",
                                           "SELECT ",
                                           "'\xc3\xa4",
                                           "\xe4\xbd\xa0",
                                           "e\xcc\x81",
                                           "\xf0\x9f\x98\x80",
                                           "`",
                                           "/* ",
                                           ";",
                                           "\xff",
                                           "\xc3"};
  std::uint64_t state = 42;
  const auto pick = [&state](std::size_t count) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::size_t>(state >> 33) % count;
  };
  Typing typing({"SELECT \xc3\xa4;", "a\nb\xe4\xbd\xa0;"});
  typing.candidates = {"SEL\xc3\xa4", "SEL\xc3\xb6"};
  KeyReader reader;
  for (int i = 0; i < 50'000; ++i) {
    reader.feed(pieces[pick(pieces.size())]);
    if (pick(10) == 0) reader.settle();
    for (Key key; reader.next(key);) {
      if (typing.editor.handle(key) == EditResult::kSubmit) (void)typing.editor.take();
    }
    ASSERT_LE(typing.editor.cursor(), typing.editor.text().size());
    ASSERT_TRUE(is_valid_utf8(typing.editor.text()));
    if (typing.editor.text().size() > 2'000) (void)typing.editor.take();
    if (pick(20) != 0) continue;
    const TerminalSize size{.columns = static_cast<int>(pick(30)),
                            .rows = static_cast<int>(pick(9))};
    const EditorPicture picture =
        picture_of(typing.editor, {.prompt = "sql> ", .colors = *ColorSchema::find("dark")}, size);
    ASSERT_LT(picture.cursor.line, picture.lines.size());
    ASSERT_LE(picture.lines.size(), std::max(2U, static_cast<unsigned>(size.rows)) - 1U);
  }
}

TEST(EditorViewTest, lines_wrap_and_the_cursor_stands_where_it_types) {
  Typing typing;
  typing.type("SELECT 12345\r, 2\x1b[D");
  const EditorPicture picture =
      picture_of(typing.editor, {.prompt = "sql> "}, {.columns = 15, .rows = 10});
  EXPECT_THAT(picture.lines, ElementsAre("sql> SELECT 12", "345", "  -> , 2"));
  EXPECT_EQ(picture.cursor, (ScreenCursor{2, 7}));
}

TEST(EditorViewTest, only_what_fits_the_terminal_is_shown_around_the_cursor) {
  Typing typing;
  typing.type("a\rb\rc\rd\re");
  typing.type(kUp);
  const EditorPicture picture =
      picture_of(typing.editor, {.prompt = "sql> "}, {.columns = 20, .rows = 4});
  EXPECT_THAT(picture.lines, ElementsAre("  -> c", "  -> d", "  -> e"));
  EXPECT_EQ(picture.cursor, (ScreenCursor{1, 6}));
}

TEST(EditorViewTest, parts_of_sql_have_colors) {
  Typing typing;
  typing.type("SELECT 'a' -- x");
  const EditorPicture picture =
      picture_of(typing.editor, {.prompt = "> ", .colors = *ColorSchema::find("default")}, {});
  EXPECT_THAT(picture.lines, ElementsAre("> \x1b[1;34mSELECT\x1b[0m \x1b[32m'a'\x1b[0m "
                                         "\x1b[90m-- x\x1b[0m"));
}

TEST(SyntaxColorsTest, an_open_quote_reaches_to_the_end) {
  const std::vector<SyntaxSpan> spans = syntax_spans("SELECT 'a; b");
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_EQ(spans[1].part, SyntaxPart::kString);
  EXPECT_EQ(spans[1].begin, 7U);
  EXPECT_EQ(spans[1].end, 12U);
}

TEST(SyntaxColorsTest, words_that_may_be_names_are_plain_unless_in_capitals) {
  EXPECT_EQ(syntax_spans("select key, a, A").size(), 1U);
  EXPECT_EQ(syntax_spans("PRIMARY KEY").size(), 2U);
}

TEST(SyntaxColorsTest, an_unknown_schema_is_refused_with_all_names) {
  EXPECT_THAT(std::string(ColorSchema::find("pink").status().message()),
              ::testing::AllOf(::testing::HasSubstr("'pink'"), ::testing::HasSubstr("OBSIDIAN")));
}

TEST(HistoryTest, is_kept_in_a_file_line_by_line) {
  const SimulatedClock clock;
  MemoryFileSystem files(clock);
  {
    History history(files, "/home/history");
    ASSERT_TRUE(history.load().is_ok());
    ASSERT_TRUE(history.add("SELECT 1,\n  '\\n';").is_ok());
    ASSERT_TRUE(history.add("SHOW TABLES;").is_ok());
    ASSERT_TRUE(history.add("SHOW TABLES;").is_ok());
  }
  EXPECT_EQ(*read_file(files, "/home/history"), "SELECT 1,\\n  '\\\\n';\nSHOW TABLES;\n");
  History history(files, "/home/history");
  ASSERT_TRUE(history.load().is_ok());
  ASSERT_EQ(history.size(), 2U);
  EXPECT_EQ(history.at(0), "SELECT 1,\n  '\\n';");
}

TEST(HistoryTest, statements_with_secrets_are_not_written) {
  const SimulatedClock clock;
  MemoryFileSystem files(clock);
  History history(files, "/history");
  ASSERT_TRUE(history.add("CREATE TABLE t (a INT) WITH ('password' = 'x');").is_ok());
  ASSERT_TRUE(history.add("SELECT password FROM t;").is_ok());
  EXPECT_EQ(*read_file(files, "/history"), "SELECT password FROM t;\n");
  EXPECT_EQ(history.size(), 2U);
}

TEST(HistoryTest, is_bounded_in_memory_and_on_disk) {
  const SimulatedClock clock;
  MemoryFileSystem files(clock);
  std::string text;
  for (std::size_t i = 0; i < 2 * History::kEntriesMax; ++i) text += std::to_string(i) + "\n";
  ASSERT_TRUE(write_file_atomically(files, "/history", text).is_ok());
  History history(files, "/history");
  ASSERT_TRUE(history.load().is_ok());
  EXPECT_EQ(history.size(), History::kEntriesMax);
  EXPECT_EQ(history.at(0), std::to_string(History::kEntriesMax));
  const std::string kept = *read_file(files, "/history");
  EXPECT_EQ(std::count(kept.begin(), kept.end(), '\n'),
            static_cast<std::ptrdiff_t>(History::kEntriesMax));
}

}  // namespace
}  // namespace clepsydra::console
