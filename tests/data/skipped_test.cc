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
