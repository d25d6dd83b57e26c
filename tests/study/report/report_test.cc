#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/study/analysis/curves.h"
#include "scion/study/report/headline.h"
#include "scion/study/report/sections.h"
#include "scion/study/report/write_report.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"
#include "tests/study/html_check.h"
#include "tests/study/made_up_study.h"

namespace scion {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

const StudyReport& study() {
  static const StudyReport report = made_up_study();
  return report;
}

const std::string paper_table = SCION_SOURCE_DIR "/tests/golden/paper/table.csv";

TEST(Report, PageIsWellFormedAndSelfContained) {
  const std::string html = report_html(study());
  EXPECT_EQ(unbalanced_tag(html), "");
  for (const char* load : {"http:", "https:", "src=", "href=", "@import", "url("})
    EXPECT_THAT(html, Not(HasSubstr(load)));
  EXPECT_THAT(html, Not(ContainsRegex("[^a-z](nan|-nan|inf)[^a-z]")));
  EXPECT_THAT(html, HasSubstr("Weight selection on AN4 &lt;made up&gt;"));
  EXPECT_THAT(html, Not(HasSubstr("<made up>")));
}

TEST(Report, HasEverySection) {
  std::vector<std::string> ids;
  for (const Section& section : report_sections(study())) ids.push_back(section.id);
  EXPECT_THAT(ids,
              ::testing::ElementsAre("arms", "overview", "wer", "curves", "speed", "differences",
                                     "seen", "steadiness", "teacher", "tuning", "checks"));
  const std::string html = report_html(study());
  for (const std::string& id : ids) EXPECT_THAT(html, HasSubstr("<section id=\"" + id + "\">"));
  EXPECT_THAT(html, HasSubstr("0123abc &amp; changes"));
  EXPECT_THAT(html, HasSubstr("scion prepare --corpus data/an4 --out exp/an4"));
  EXPECT_THAT(html, HasSubstr("fell short"));
}

TEST(Report, ShowsTheNumbers) {
  const std::string html = report_html(study()), text = report_text(study());
  const auto curves = learning_curves(study().rows);
  const CurvePoint& last = find_curve(curves, "20 epochs", "test", "best")->points.back();
  const std::string cell = fmt::format("{:.1f} ± {:.1f}", last.wer, last.spread);
  const ArmDifference& primary = *study().differences.primary;
  const std::string difference = fmt::format("−{:.2f}", -primary.difference.mean);
  for (const std::string& page : {html, text}) {
    EXPECT_THAT(page, HasSubstr(cell));
    EXPECT_THAT(page, HasSubstr(difference));
    EXPECT_THAT(page,
                HasSubstr(fmt::format("{:.1f} → {:.1f}", primary.baseline_wer, primary.arm_wer)));
  }
  EXPECT_THAT(html, HasSubstr("<strong>" + cell + "</strong>"));
}

// 22 arms: five for each of four factors, with one pair that has its own baseline.
StudyReport study_of_many_arms() {
  StudyReport report;
  report.arms = {{.name = "random", .factor = "base"}, {.name = "best", .factor = "base"}};
  for (const std::string factor : {"layers", "elements", "heads", "size"})
    for (int i = 1; i <= 5; ++i) {
      const bool is_pair = factor == "size" && i >= 4;
      report.arms.push_back({.name = fmt::format("{} {}", factor, i),
                             .factor = factor,
                             .baseline = is_pair ? "size 5" : ""});
    }
  std::vector<Comparison> others;
  for (const ArmDescription& arm : report.arms) {
    const double start = arm.name == "random" ? 0 : 2;
    for (int64_t seed = 1; seed <= 2; ++seed)
      for (const double epoch : {1.0, 2.0, 4.0, 8.0})
        report.rows.push_back(made_up_row("short", arm.name, "dev", seed, epoch, 8, start));
    const std::string baseline = arm.baseline.empty() ? "random" : arm.baseline;
    if (arm.name != "random" && arm.name != "best" && arm.name != baseline)
      others.push_back({"short", "dev", baseline, arm.name, 2.0, Weights::raw});
  }
  report.differences = compare_arms(
      report.rows, {"short", "dev", "random", "best", 2.0, Weights::raw}, others, {0.95, 200, 1});
  return report;
}

TEST(Report, ManyArmsStayReadable) {
  const StudyReport report = study_of_many_arms();
  const std::string html = report_html(report);
  EXPECT_EQ(unbalanced_tag(html), "");
  std::map<std::string, int> shown;
  for (const Section& section : report_sections(report)) {
    for (const Chart& chart : section.charts) {
      EXPECT_LE(chart.series.size(), 8U) << chart.title;
      for (const Series& series : chart.series) ++shown[series.name];
    }
    for (const DotPlot& plot : section.dots)
      for (const DotPanel& panel : plot.panels) EXPECT_EQ(panel.dots.size(), plot.rows.size());
  }
  // The baseline and the primary arm are in every chart, each other arm is in one.
  for (const ArmDescription& arm : report.arms)
    EXPECT_EQ(shown[arm.name] > 1, arm.name == "random" || arm.name == "best") << arm.name;
  for (const char* factor : {"layers", "elements", "heads", "size"})
    EXPECT_THAT(html, ContainsRegex(fmt::format("<tr class=.heading.><td[^>]*>{}</td>", factor)));
  EXPECT_THAT(report_text(report), HasSubstr("size 4 − size 5"));
  EXPECT_THAT(report_text(report), Not(HasSubstr("size 5 − ")));
}

TEST(Report, HeadlineOfAClearDifference) {
  const ArmDifference& primary = *study().differences.primary;
  ASSERT_LT(primary.difference.interval.high, 0);
  EXPECT_EQ(headline(study()),
            fmt::format("After 20 epochs, selected (best) has a WER of {:.1f} % on test, {:.1f} "
                        "points lower than random with {:.1f} % (95 % interval {:.1f} to {:.1f}).",
                        primary.arm_wer, -primary.difference.mean, primary.baseline_wer,
                        -primary.difference.interval.high, -primary.difference.interval.low));
}

TEST(Report, HeadlineOfAnOpenDifference) {
  StudyReport report = study();
  report.differences.primary->difference = {-0.25, {-1.04, 0.51}, 0.6};
  EXPECT_THAT(headline(report), HasSubstr("cannot be told apart on test: the difference of −0.2 "
                                          "points has a 95 % interval from −1.0 to 0.5."));
}

TEST(Report, LeavesOutWhatIsEmpty) {
  StudyReport report;
  EXPECT_EQ(headline(report), "");
  EXPECT_TRUE(report_sections(report).empty());
  EXPECT_EQ(unbalanced_tag(report_html(report)), "");
  report.rows = {made_up_row("", "selected", "test", 1, 1, 10, 0)};
  EXPECT_EQ(headline(report), "");  // no baseline
  EXPECT_EQ(unbalanced_tag(report_html(report)), "");
  EXPECT_THAT(report_text(report), HasSubstr("selected"));
}

TEST(Report, SentencesAlsoInTraining) {
  StudyReport report;
  ResultRow row;
  row.arm = "random", row.set = "test", row.epoch = 1, row.wer = 30;
  row.errors = 30, row.words = 100;
  row.utterances = {{"a", "", 0, 40}, {"b", "", 30, 60}};
  report.rows = {row};
  report.seen_sentences["test"] = {"a"};
  EXPECT_THAT(report_text(report), ContainsRegex("random +30\\.0 +0\\.0 +50\\.0"));
}

TEST(Report, EpochsAskedFor) {
  StudyReport report = study();
  report.epochs = {3, 7};
  EXPECT_THAT(report_text(report), ContainsRegex("\nepoch +3 +7\n"));
}

TEST(TableStudy, Paper) {
  const StudyReport report = table_report(paper_table);
  EXPECT_EQ(
      headline(report),
      "On clean, the WER of selected after 5 epochs is 40.4 % lower than that of random, which "
      "takes 2.99 times as many epochs to get there; after 50 epochs it is 0.3 % higher.");
  const std::string text = report_text(report);
  EXPECT_THAT(text,
              ContainsRegex("speed-up in epochs +2.99× +1.89× +1.23× +1.02× +0.97× +≥ 0.97×"));
  EXPECT_THAT(text, ContainsRegex("speed-up in epochs +2.58× +1.85× +1.24× +1.11× +0.96× +0.78×"));
  EXPECT_THAT(text, ContainsRegex("against the same epoch, % +−40.4 "));
  EXPECT_THAT(text, ContainsRegex("against the same epoch, % +−31.7 "));
  EXPECT_THAT(text, ContainsRegex("selected +4.86\\* +4.30\\* +3.96\\* +3.72\\* +3.60 +3.53\n"));
  EXPECT_THAT(text, Not(HasSubstr("training time  ")));  // the table has none
  EXPECT_EQ(unbalanced_tag(report_html(report)), "");
}

// Teachers that are files: their training is in no figure, and none is called total.
TEST(TableStudy, WithoutTheTeachersTimeThereIsNoTotal) {
  const TemporaryFolder directory;
  write_file(directory / "t.csv",
             "arm,teacher,seed,epoch,set,wer,training_seconds\n"
             "scratch,0,1,1,dev,60,10\nscratch,0,1,2,dev,40,20\nscratch,0,1,4,dev,20,40\n"
             "fast,1,1,1,dev,40,10\nfast,1,1,2,dev,20,20\nfast,1,1,4,dev,10,40\n");
  const std::string text = report_text(table_report(directory / "t.csv"));
  EXPECT_THAT(text, HasSubstr("in training time"));
  EXPECT_THAT(text, Not(HasSubstr("total compute")));
  EXPECT_THAT(text, HasSubstr("The teacher's training is not counted."));
}

// Another table: three arms, two seeds, times; worked out by hand.
TEST(TableStudy, ByHand) {
  const TemporaryFolder directory;
  write_file(directory / "t.csv",
             "arm,seed,epoch,set,wer,training_seconds,compute_seconds\n"
             "scratch,1,1,dev,62,10,10\nscratch,2,1,dev,58,10,10\n"
             "scratch,1,2,dev,41,20,20\nscratch,2,2,dev,39,20,20\n"
             "scratch,1,4,dev,20,40,40\nscratch,2,4,dev,20,40,40\n"
             "scratch,1,5,dev,18,50,50\nscratch,2,5,dev,18,50,50\n"
             "fast,1,1,dev,31,10,25\nfast,2,1,dev,29,10,25\n"
             "fast,1,2,dev,25,20,35\nfast,2,2,dev,25,20,35\n"
             "fast,1,4,dev,16,40,55\nfast,2,4,dev,16,40,55\n"
             "slow,1,2,dev,50,20,20\nslow,2,2,dev,50,20,20\n");
  const StudyReport report = table_report(directory / "t.csv");
  EXPECT_EQ(report.baseline, "scratch");  // there is no "random": the first
  const std::string text = report_text(report);
  // fast: 30 % at epoch 1, scratch at 3 (30 s); 25 % at 2, scratch at 3.5 (35 s); 16 %: not
  // reached.
  EXPECT_THAT(text, ContainsRegex("fast +speed-up in epochs +3.00× +1.75× +≥ 1.25× +–\n"));
  EXPECT_THAT(text, ContainsRegex(" +in total compute +1.20× +1.00× +≥ 0.91× +–\n"));
  // 15 s of teacher over 20 s saved, then over 15 s, then over at least 10 s.
  EXPECT_THAT(text, ContainsRegex(" +students that pay for the teacher +1 +1 +≤ 2 +–\n"));
  // slow: 50 % at epoch 2, where scratch is at 1.5.
  EXPECT_THAT(text, ContainsRegex("slow +speed-up in epochs +– +0.75× +– +–\n"));
  EXPECT_THAT(text, ContainsRegex("scratch +60.00 ± 2.83 +40.00 ± 1.41"));
  // scratch ends with 18 %: fast has it at 2 + 2 · 7/9 = 3.6, confirmed by nothing after epoch 4.
  EXPECT_THAT(text, ContainsRegex("fast +dev +18.00 +≥ 3.6 +≤ 1.41×"));
}

TEST(TableStudy, Errors) {
  const auto message = [](const std::filesystem::path& path, const std::string& baseline) {
    return error_of<UserError>([&] { table_report(path, baseline); });
  };
  EXPECT_EQ(message(paper_table, "xavier"),
            "no arm 'xavier' in " + paper_table + " | arms there: random, selected");
  const TemporaryFolder directory;
  write_file(directory / "one.csv", "epoch,set,arm,wer\n1,a,x,9\n");
  EXPECT_THAT(message(directory / "one.csv", ""), HasSubstr("'x' is the only arm in"));
  EXPECT_THAT(message(directory / "none.csv", ""), HasSubstr("none.csv"));
}

TEST(Report, IsWrittenIntoAFolder) {
  const TemporaryFolder directory;
  const auto path = write_report(table_report(paper_table), directory / "a/b");
  EXPECT_EQ(path.filename(), "report.html");
  EXPECT_EQ(read_file(path), report_html(table_report(paper_table)));
  write_file(directory / "file", "");
  EXPECT_THROW(write_report(StudyReport(), directory / "file/b"), Failure);
}

}  // namespace
}  // namespace scion
