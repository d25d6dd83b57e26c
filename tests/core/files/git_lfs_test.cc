#include "scion/core/files/git_lfs.h"

#include <gmock/gmock.h>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/core/files/safetensors.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

using ::testing::HasSubstr;

TEST(GitLfs, APointerIsNamed) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "model.safetensors";
  write_file(path,
             "version https://git-lfs.github.com/spec/v1\n"
             "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n"
             "size 12345\n");
  try {
    read_safetensors(path);
    ADD_FAILURE() << "a pointer was read";
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr(path.string() + " is a Git LFS pointer"));
    EXPECT_THAT(error.hint(), HasSubstr("git lfs pull"));
  }
}

TEST(GitLfs, OtherBytesPass) {
  refuse_lfs_pointer("a", "version 2 of the notes");
  refuse_lfs_pointer("a", "");
}

}  // namespace
}  // namespace scion
