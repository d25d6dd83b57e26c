// docs/options.md is written from the declarations: it fails here when it is stale.
#include <gtest/gtest.h>

#include <filesystem>

#include "scion/core/files/file.h"
#include "scion/training/config/run_config.h"

namespace scion {
namespace {

TEST(Options, TheReferenceIsWhatTheDeclarationsSay) {
  RunConfig config;
  Options options;
  config.declare(options);
  EXPECT_EQ(read_file(std::filesystem::path(SCION_SOURCE_DIR) / "docs/options.md"),
            options.to_markdown())
      << "run 'make docs'";
}

}  // namespace
}  // namespace scion
