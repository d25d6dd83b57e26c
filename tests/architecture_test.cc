// The rooms of docs/architecture.md: a file includes files of its own room and of earlier ones.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

namespace scion {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> rooms = {"core",
                                        "core/files",
                                        "core/device",
                                        "text",
                                        "audio/containers",
                                        "audio",
                                        "audio/augmentation",
                                        "loss/lattice",
                                        "loss/cpu",
                                        "loss/device",
                                        "loss",
                                        "nn/cpu",
                                        "nn/device",
                                        "nn/operators",
                                        "nn",
                                        "scoring",
                                        "data/manifest",
                                        "data",
                                        "data/corpora/readers",
                                        "data/corpora/tables",
                                        "data/corpora/layouts",
                                        "data/corpora",
                                        "model/encoders",
                                        "model",
                                        "selection",
                                        "search",
                                        "recognition",
                                        "calibration",
                                        "training/optimisers",
                                        "training/config",
                                        "training/run",
                                        "training",
                                        "interchange",
                                        "study/conditions",
                                        "study/analysis",
                                        "study/report/figures",
                                        "study/report",
                                        "study/recipe",
                                        "study",
                                        "cli"};

size_t rank(const std::string& room) {
  return static_cast<size_t>(std::find(rooms.begin(), rooms.end(), room) - rooms.begin());
}

// "study/report/figures" for scion/study/report/figures/page.h.
std::string room_of(const fs::path& path, const fs::path& root) {
  return fs::relative(path, root).parent_path().generic_string();
}

TEST(Architecture, FilesIncludeOnlyEarlierRooms) {
  const fs::path root = fs::path(SCION_SOURCE_DIR) / "scion";
  const std::regex include("#include \"scion/([a-z_/]+)/[a-z0-9_]+\\.");
  size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file()) continue;
    const std::string room = room_of(entry.path(), root);
    ASSERT_LT(rank(room), rooms.size()) << "unknown room " << room;
    ++files;
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      std::smatch match;
      if (!std::regex_search(line, match, include)) continue;
      EXPECT_LE(rank(match[1]), rank(room)) << entry.path() << " includes " << match[1];
    }
  }
  EXPECT_GT(files, 50U);
}

TEST(Architecture, ARoomHasFewFiles) {
  const fs::path root = fs::path(SCION_SOURCE_DIR) / "scion";
  std::map<std::string, int> files;
  for (const auto& entry : fs::recursive_directory_iterator(root))
    if (entry.is_regular_file()) ++files[room_of(entry.path(), root)];
  for (const auto& [room, count] : files) EXPECT_LE(count, 26) << room;
}

TEST(Architecture, ThePageNamesEveryFolder) {
  std::ifstream file(fs::path(SCION_SOURCE_DIR) / "docs/architecture.md");
  const std::string page((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  for (const auto& entry : fs::directory_iterator(fs::path(SCION_SOURCE_DIR) / "scion"))
    if (entry.is_directory() && !fs::is_empty(entry.path())) {
      EXPECT_NE(page.find("`scion/" + entry.path().filename().string() + "`"), std::string::npos)
          << entry.path();
    }
}

// Pages name files that exist: `scion/…` and the other folders' paths as they are, a bare name
// (`axis.h`) somewhere in the sources.
TEST(Architecture, PagesNameFilesThatExist) {
  const fs::path root = SCION_SOURCE_DIR;
  std::set<std::string> names;
  for (const char* folder : {"scion", "tests"})
    for (const auto& entry : fs::recursive_directory_iterator(root / folder))
      if (entry.is_regular_file()) names.insert(entry.path().filename());
  std::vector<fs::path> pages = {root / "README.md", root / "CONTRIBUTING.md",
                                 root / "docs/architecture.md"};
  for (const auto& entry : fs::directory_iterator(root / "docs/design"))
    pages.push_back(entry.path());
  const std::regex path(
      "`((?:scion|tests|fuzz|bench|docs|recipes|scripts|examples)/[a-z0-9_./-]+)`");
  const std::regex name("`([a-z0-9_]+\\.(?:h|cc|cu|inc))`");
  size_t found = 0;
  for (const fs::path& page : pages) {
    std::ifstream file(page);
    const std::string text((std::istreambuf_iterator<char>(file)),
                           std::istreambuf_iterator<char>());
    for (std::sregex_iterator match(text.begin(), text.end(), path), end; match != end; ++match) {
      ++found;
      EXPECT_TRUE(fs::exists(root / (*match)[1].str())) << page << " names " << (*match)[1];
    }
    for (std::sregex_iterator match(text.begin(), text.end(), name), end; match != end; ++match) {
      ++found;
      EXPECT_TRUE(names.count((*match)[1])) << page << " names " << (*match)[1];
    }
  }
  EXPECT_GT(found, 30U);
}

TEST(Architecture, PublicHeadersExist) {
  const fs::path root = SCION_SOURCE_DIR;
  std::ifstream file(root / "cmake/public_headers.cmake");
  const std::string list((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const std::regex header("[a-z_]+/[a-z_/]+\\.h\\b");
  size_t found = 0;
  for (std::sregex_iterator match(list.begin(), list.end(), header), end; match != end; ++match) {
    ++found;
    EXPECT_TRUE(fs::exists(root / "scion" / match->str())) << match->str();
  }
  EXPECT_GT(found, 15U);
}

// Public headers stay cheap to read: no more of torch than the tensor.
TEST(Architecture, HeadersIncludeNoMoreOfTorchThanTheTensor) {
  const std::regex torch("#include <(ATen|torch|c10)/([^>]+)>");
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(SCION_SOURCE_DIR) / "scion")) {
    if (entry.path().extension() != ".h") continue;
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      std::smatch match;
      if (std::regex_search(line, match, torch)) {
        EXPECT_EQ(match[1].str() + "/" + match[2].str(), "ATen/core/Tensor.h") << entry.path();
      }
    }
  }
}

// A second definition in the namespace breaks the one-definition rule where nobody sees it: in a
// source that includes neither header's test.
TEST(Architecture, NoNameIsDefinedByTwoHeaders) {
  const std::regex space("^(?:inline )?namespace ([A-Za-z_:]+) \\{");
  const std::regex definition(
      "^(?:(?:struct|class|enum class|enum) ([A-Za-z_]+)(?: final)?(?: :[^;]*)?(?: \\{.*)?$"
      "|using ([A-Za-z_]+) =|inline constexpr [A-Za-z_:<>, 0-9]+ ([A-Za-z_]+) ?[={])");
  std::map<std::string, fs::path> owner;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(SCION_SOURCE_DIR) / "scion")) {
    if (entry.path().extension() != ".h") continue;
    std::ifstream file(entry.path());
    std::string around;
    for (std::string line; std::getline(file, line);) {
      std::smatch match;
      if (std::regex_search(line, match, space)) around = match[1];
      if (!std::regex_search(line, match, definition)) continue;
      std::string name = around + "::";
      for (size_t i = 1; i < match.size(); ++i) name += match[i].str();
      const auto [place, is_new] = owner.emplace(name, entry.path());
      EXPECT_TRUE(is_new || place->second == entry.path())
          << name << " is defined by " << place->second << " and by " << entry.path();
    }
  }
  EXPECT_GT(owner.size(), 200U);
}

}  // namespace
}  // namespace scion
