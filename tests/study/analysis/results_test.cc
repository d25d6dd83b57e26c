#include "scion/study/analysis/results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "scion/core/error.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

using ::testing::HasSubstr;

ResultRow row_with_utterances() {
  ResultRow row;
  row.budget = "20e";
  row.arm = "selected \"best\"";
  row.set = "test";
  row.seed = 3;
  row.update = 1200;
  row.epoch = 2.5;
  row.wer = 100 * 3.0 / 7;
  row.errors = 3, row.words = 7;
  row.substitutions = 1, row.insertions = 0, row.deletions = 2;
  row.training_seconds = 12.25, row.compute_seconds = 362.25;
  row.utterances = {{"u-1", "u", 3, 4}, {"u-2", "u", 0, 3}};
  return row;
}

TEST(Results, RoundTrip) {
  const ResultRow row = row_with_utterances();
  const std::string line = to_line(row);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto rows = parse_results(line + "\n", "x");
  ASSERT_EQ(rows.size(), 1);
  EXPECT_EQ(rows[0], row);
}

TEST(Results, FilesOfOlderProgramsNameTheBudgetSchedule) {
  std::string line = to_line(row_with_utterances());
  line.replace(line.find("\"budget\""), 8, "\"schedule\"");
  EXPECT_EQ(parse_results(line + "\n", "x").at(0), row_with_utterances());
  EXPECT_EQ(parse_result_table("epoch,set,arm,wer,schedule\n1,a,x,9,short\n", "x").at(0).budget,
            "short");
}

TEST(Results, UnknownWeightsAreAnError) {
  std::string line = to_line(row_with_utterances());
  line.replace(line.find("\"raw\""), 5, "\"best\"");
  EXPECT_THAT(message_of<UserError>([&] { parse_results(line + "\n", "r.jsonl"); }),
              HasSubstr("line 1 of r.jsonl is not a result: weights is 'best'"));
}

TEST(Results, InfiniteRate) {
  ResultRow row = row_with_utterances();
  row.wer = HUGE_VAL;
  EXPECT_EQ(parse_results(to_line(row), "x")[0], row);
}

TEST(Results, LastLineOfAKeyWins) {
  ResultRow first = row_with_utterances(), other = first, again = first;
  other.update = 1300;
  again.wer = 1;
  const auto rows =
      parse_results(to_line(first) + "\n" + to_line(other) + "\n" + to_line(again) + "\n", "x");
  ASSERT_EQ(rows.size(), 2);
  EXPECT_EQ(rows[0], again);
  EXPECT_EQ(rows[1], other);
}

TEST(Results, CutLastLineIsIgnored) {
  const std::string line = to_line(row_with_utterances());
  ResultRow other = row_with_utterances();
  other.seed = 4;
  for (const size_t length : {size_t{1}, line.size() / 2, line.size() - 1})
    EXPECT_EQ(parse_results(to_line(other) + "\n" + line.substr(0, length), "x").size(), 1);
  EXPECT_EQ(message_of<UserError>([&] {
              parse_results(line.substr(0, 20) + "\n" + line, "r.jsonl");
            }).substr(0, 35),
            "line 1 of r.jsonl is not a result: ");
  EXPECT_THAT(message_of<UserError>([&] { parse_results("{\"arm\": 1}\n", "r.jsonl"); }),
              HasSubstr("budget"));
}

TEST(Results, WritesAndReads) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "results.jsonl";
  ResultRow other = row_with_utterances();
  other.arm = "random";
  write_results(path, {row_with_utterances(), other});
  EXPECT_EQ(read_results(path), (std::vector<ResultRow>{row_with_utterances(), other}));
}

TEST(Results, PaperTable) {
  const auto rows = read_result_table(SCION_SOURCE_DIR "/tests/golden/paper/table.csv");
  ASSERT_EQ(rows.size(), 24);
  EXPECT_EQ(rows[1].arm, "selected");
  EXPECT_EQ(rows[1].set, "clean");
  EXPECT_EQ(rows[1].epoch, 5);
  EXPECT_EQ(rows[1].wer, 4.86);
}

TEST(Results, TableColumnsInAnyOrder) {
  const auto rows = parse_result_table(
      "\xEF\xBB\xBFwer, arm,epoch,set,seed,training_seconds\r\n"
      "12.5,\"selected, \"\"best\"\"\",1.5,test,2,60\r\n",
      "x");
  ASSERT_EQ(rows.size(), 1);
  EXPECT_EQ(rows[0].arm, "selected, \"best\"");
  EXPECT_EQ(rows[0].epoch, 1.5);
  EXPECT_EQ(rows[0].seed, 2);
  EXPECT_EQ(rows[0].training_seconds, 60);
  EXPECT_EQ(rows[0].compute_seconds, 60);
}

TEST(Results, TableErrors) {
  const auto parse = [](const std::string& text) {
    return message_of<UserError>([&] { parse_result_table(text, "t.csv"); });
  };
  EXPECT_EQ(parse("epoch,set,arm\n"), "column 'wer' is missing in t.csv");
  EXPECT_EQ(parse("epoch,set,arm,wre\n"), "unknown column 'wre' in t.csv");
  EXPECT_EQ(parse("epoch,set,arm,wer,wer\n"), "column 'wer' occurs twice in t.csv");
  EXPECT_EQ(parse("epoch,set,arm,wer\n5,a,b\n"),
            "3 fields where the header has 4: line 2 of t.csv");
  EXPECT_EQ(parse("epoch,set,arm,wer\n5,a,b,4,9\n"),
            "5 fields where the header has 4: line 2 of t.csv");
  for (const char* bad : {"x", "-1", "nan", "inf", "4 %", ""})
    EXPECT_THAT(parse(std::string("epoch,set,arm,wer\n5,a,b,") + bad + "\n"),
                HasSubstr(std::string("wer '") + bad + "' is not a number, 0 or more: line 2"));
  EXPECT_EQ(parse("epoch,set,arm,wer\n5,,b,4\n"), "set is empty: line 2 of t.csv");
  EXPECT_EQ(parse("epoch,set,arm,wer\n5,a,b,4\n#\n5,a,b,3\n"),
            "arm 'b' on 'a' at epoch 5 occurs again in line 4 of t.csv");
  EXPECT_EQ(parse("epoch,set,arm,wer\n"), "no results in t.csv");
  EXPECT_EQ(parse(""), "no results in t.csv");
}

}  // namespace
}  // namespace scion
