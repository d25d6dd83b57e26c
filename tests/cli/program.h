// The program itself, run as a user runs it.
#pragma once

#include <sys/wait.h>

#include <filesystem>
#include <string>

#include "scion/core/files/file.h"
#include "tests/core/temporary_folder.h"

namespace scion::testing {

/// Flags of `train`: the smallest possible Conformer, so that an epoch takes no time.
inline const std::string one_small_epoch =
    " --train.epochs 1 --model.conformer.layers 1 --model.conformer.width 8 "
    "--model.conformer.heads 2 --model.conformer.head_width 4 --model.conformer.feed_forward 8 "
    "--model.conformer.subsampling_channels 4";

struct ProgramResult {
  int status = 0;
  std::string out, error;
};

/// Arguments as on a shell's command line, in `folder`.
inline ProgramResult run_program(const TemporaryFolder& folder, const std::string& arguments) {
  const std::string command = "cd '" + folder.path().string() + "' && '" + SCION_PROGRAM + "' " +
                              arguments + " >.out 2>.error";
  const int status = std::system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_file(folder / ".out"),
          read_file(folder / ".error")};
}

}  // namespace scion::testing
