#include "scion/data/skipped.h"

#include <gmock/gmock.h>

#include "scion/core/error.h"
#include "tests/core/error_of.h"
#include "tests/data/small_corpus.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST(Skipped, IsWrittenAsJsonLines) {
  const TemporaryFolder folder;
  write_skipped(folder / "skipped.jsonl", {{"a", "no \"text\""}, {"b", "missing"}});
  EXPECT_EQ(
      read_file(folder / "skipped.jsonl"),
      "{\"id\":\"a\",\"reason\":\"no \\\"text\\\"\"}\n{\"id\":\"b\",\"reason\":\"missing\"}\n");
}

TEST(Skipped, ReasonsOfOneKindAreOneGroupWithItsHint) {
  const std::vector<Skipped> skipped = {{"a", "no text"},
                                        {"b", "cannot read 'x 1'", "look"},
                                        {"c", "cannot read 'y'", "look"},
                                        {"d", "lasts 3 s", "cut"},
                                        {"e", "lasts 12 s", "cut"},
                                        {"f", "lasts 4 s", "cut"}};
  const std::vector<SkippedGroup> groups = group_by_reason(skipped);
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(groups[0].count, 3u);
  EXPECT_EQ(groups[0].first.id, "d");
  EXPECT_EQ(groups[1].count, 2u);
  EXPECT_EQ(groups[2].first.reason, "no text");
  const std::string refusal =
      error_of<UserError>([&] { check_skipped_share("m.jsonl", skipped, 100); });
  EXPECT_THAT(refusal, HasSubstr("6 of 100 utterances of m.jsonl cannot be used: "
                                 "3 × lasts 3 s (d); 2 × cannot read 'x 1' (b); 1 × no text (a)"));
  EXPECT_THAT(refusal, HasSubstr("| cut; look; at most 5 % may be skipped: skip_share"));
  check_skipped_share("m.jsonl", skipped, 100, 0.06);
}

TEST(SkippedLog, NamesEveryUtteranceOnceAlsoAfterAnInterruption) {
  const TemporaryFolder folder;
  const fs::path path = folder / "skipped.jsonl";
  {
    SkippedLog log(path, "m.jsonl", 100);
    log.add({{"a", "missing"}, {"b", "no text"}});
    log.add({{"a", "missing"}});
  }
  write_text(path, read_file(path) + "{\"id\": \"cut sho");
  SkippedLog log(path, "m.jsonl", 100);
  log.add({{"b", "no text"}, {"c", "missing"}});
  EXPECT_EQ(read_file(path),
            "{\"id\":\"a\",\"reason\":\"missing\"}\n{\"id\":\"b\",\"reason\":\"no text\"}\n"
            "{\"id\":\"c\",\"reason\":\"missing\"}\n");
}

TEST(SkippedLog, MoreThanOneInTwentyIsAnError) {
  const TemporaryFolder folder;
  SkippedLog log(folder / "skipped.jsonl", "m.jsonl", 40);
  log.add({{"a", "missing"}, {"b", "missing"}});
  log.add({{"a", "missing"}, {"b", "missing"}});
  EXPECT_THAT(error_of<UserError>([&] {
                log.add({{"c", "missing"}});
              }),
              HasSubstr("3 of 40 utterances of m.jsonl cannot be used"));
}

}  // namespace
}  // namespace scion
