#include "scion/data/manifest/unique_ids.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace scion {
namespace {

using ::testing::ElementsAre;

TEST(UniqueIds, AreTheNamesWithoutExtensionWhereTheseDiffer) {
  EXPECT_THAT(unique_ids({"a/one.wav", "b/two.tar.flac", "-", "/three", "./.wav"}),
              ElementsAre("one", "two.tar", "-", "three", ".wav"));
}

TEST(UniqueIds, TakeAsManyFoldersAsTellFilesApart) {
  EXPECT_THAT(unique_ids({"a/0001.wav", "b/0001.wav", "b/0002.wav"}),
              ElementsAre("a/0001", "b/0001", "0002"));
  EXPECT_THAT(unique_ids({"/x/s1/c/1.wav", "/x/s2/c/1.wav", "/x/s1/d/1.wav", "1.wav"}),
              ElementsAre("s1/c/1", "s2/c/1", "d/1", "1"));
}

TEST(UniqueIds, KeepTheExtensionOfFilesThatDifferInNothingElse) {
  EXPECT_THAT(unique_ids({"a/x.wav", "a/x.flac", "b/x.wav"}), ElementsAre("x.wav", "x.flac", "x"));
}

TEST(UniqueIds, NumberAFileThatComesAgain) {
  EXPECT_THAT(unique_ids({"a/x.wav", "a/./x.wav", "x-2.wav", "a/b/../x.wav"}),
              ElementsAre("x", "x-3", "x-2", "x-4"));
}

TEST(UniqueIds, HoldNothingThatAFormatCannot) {
  EXPECT_THAT(
      unique_ids({"caf\xe9.wav", "caf\xe8.wav", ";my file (1).wav", "a\tb\x1b\n.wav",
                  "n\u00a0b\ufeff.wav", "caf\u00e9.wav"}),
      ElementsAre("caf\ufffd", "caf\ufffd-2", "_my_file__1_", "a_b__", "n_b_", "caf\u00e9"));
}

}  // namespace
}  // namespace scion
