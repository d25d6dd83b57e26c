#include "scion/training/run/checkpoint.h"

#include <gtest/gtest.h>

#include "scion/core/files/file.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

TEST(Checkpoint, ABrokenOneIsSkipped) {
  const TemporaryFolder folder;
  Checkpoint checkpoint;
  checkpoint.model.tensors = {{"a", at::ones({3})}};
  checkpoint.state.tensors = {{"b", at::zeros({2})}};
  for (const int64_t update : {1, 2, 3}) {
    checkpoint.position.update = update;
    save_checkpoint(folder.path(), checkpoint, 2);
  }
  EXPECT_FALSE(fs::exists(folder / "update-00000001"));
  EXPECT_EQ(load_newest_checkpoint(folder.path())->position.update, 3);
  std::string bytes = read_file(folder / "update-00000003/model.safetensors");
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_file(folder / "update-00000003/model.safetensors", bytes);
  EXPECT_EQ(load_newest_checkpoint(folder.path())->position.update, 2);
  fs::remove(folder / "update-00000002/state.safetensors");
  EXPECT_FALSE(load_newest_checkpoint(folder.path()).has_value());
}

}  // namespace
}  // namespace scion
