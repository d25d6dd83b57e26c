#include "scion/core/files/tar.h"

#include <gmock/gmock.h>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "tests/core/error_of.h"
#include "tests/core/files/tar_files.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// "name: content" of every file.
std::vector<std::string> members_of(const std::string& bytes) {
  const TemporaryFolder folder;
  write_file(folder / "a.tar", bytes);
  std::vector<std::string> members;
  for (TarReader reader(folder / "a.tar"); reader.next();)
    members.push_back(reader.name() + ": " + reader.text(10000));
  return members;
}

TEST(Tar, FilesInTheirOrder) {
  EXPECT_THAT(members_of(tar_member("a/", "", '5') + tar_member("a/b.txt", "one") +
                         tar_member("link", "", '2') + tar_member("c", std::string(512, 'x')) +
                         tar_member("d", "") + tar_end()),
              ElementsAre("a/b.txt: one", "c: " + std::string(512, 'x'), "d: "));
}

TEST(Tar, LongNamesOfPaxAndGnu) {
  const std::string name(150, 'n');
  EXPECT_THAT(members_of(tar_member("x", "160 path=" + name + "\n", 'x') + tar_member("s", "one") +
                         tar_member("y", name + "2" + '\0', 'L') + tar_member("s", "two") +
                         tar_member("s", "three") + tar_end()),
              ElementsAre(name + ": one", name + "2: two", "s: three"));
}

TEST(Tar, CopiesAndSkips) {
  const TemporaryFolder folder;
  const std::string large(200000, 'y');
  write_file(folder / "a.tar", tar_member("a", large) + tar_member("b", large) + tar_end());
  TarReader reader(folder / "a.tar");
  ASSERT_TRUE(reader.next());
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.size(), large.size());
  reader.copy_to(folder / "b");
  EXPECT_EQ(read_file(folder / "b"), large);
  EXPECT_FALSE(reader.next());
  EXPECT_THAT(error_of<Failure>([&] {
                TarReader again(folder / "a.tar");
                again.next();
                again.copy_to(folder / "none/b");
              }),
              HasSubstr("cannot write"));
}

TEST(Tar, DamageIsSaid) {
  const auto complaint = [](const std::string& bytes) {
    return error_of<UserError>([&] { members_of(bytes); });
  };
  const std::string good = tar_member("a", "one");
  EXPECT_THAT(complaint(good.substr(0, 514)), HasSubstr("is cut short or broken"));
  EXPECT_THAT(complaint(good.substr(0, 100)), HasSubstr("is cut short or broken"));
  EXPECT_THAT(complaint(std::string(512, 'x')), HasSubstr("is no tar archive"));
  EXPECT_THAT(complaint(tar_member("x", "9999 path=a\n", 'x')), HasSubstr("an extended header"));
  EXPECT_THAT(complaint(tar_member("a", std::string(20000, 'x'))), HasSubstr("a text of 20000"));
  EXPECT_EQ(complaint(good), "");  // tar writes the end, but not everything else does
}

}  // namespace
}  // namespace scion
