#include "scion/core/files/folder_walk.h"

#include <gmock/gmock.h>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

bool is_wav(const std::string& name) { return name.ends_with(".wav"); }

TEST(FolderWalk, HiddenNamesAreLeftOut) {
  const TemporaryFolder folder;
  for (const char* name : {"b/2.wav", "a/1.wav", "a/._1.wav", ".trash/3.wav", "a/notes.txt"})
    write_file(folder / name, "x");
  EXPECT_THAT(files_under(folder.path(), is_wav),
              ElementsAre(folder / "a/1.wav", folder / "b/2.wav"));
  EXPECT_THAT(entries_of(folder.path()), ElementsAre(folder / "a", folder / "b"));
  EXPECT_TRUE(has_file_under(folder.path(), is_wav));
  EXPECT_FALSE(has_file_under(folder.path(), [](const auto& name) { return name == "._1.wav"; }));
}

TEST(FolderWalk, LinksInCirclesComeToAnEnd) {
  const TemporaryFolder folder;
  write_file(folder / "a/b/1.wav", "x");
  for (const char* link : {"a/b/up", "a/b/top", "a/self"})
    fs::create_directory_symlink(folder.path(), folder / link);
  fs::create_symlink(folder / "nowhere", folder / "a/broken.wav");
  EXPECT_THAT(files_under(folder.path(), is_wav),
              ElementsAre(folder / "a/b/1.wav", folder / "a/broken.wav"));
  EXPECT_FALSE(has_file_under(folder.path(), [](const auto& name) { return name == "none"; }));
}

TEST(FolderWalk, LinksAreFollowed) {
  const TemporaryFolder folder;
  write_file(folder / "store/1.wav", "x");
  fs::create_directories(folder / "corpus");
  fs::create_directory_symlink(folder / "store", folder / "corpus/audio");
  EXPECT_THAT(files_under(folder / "corpus", is_wav), ElementsAre(folder / "corpus/audio/1.wav"));
}

TEST(FolderWalk, AFolderThatCannotBeListedIsNamed) {
  EXPECT_THAT(error_of<UserError>([] { entries_of("/no/such/folder"); }),
              HasSubstr("cannot list /no/such/folder"));
  EXPECT_THAT(error_of<UserError>([] { files_under("/no/such/folder", is_wav); }),
              HasSubstr("cannot list"));
}

}  // namespace
}  // namespace scion
