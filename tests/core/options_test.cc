#include "scion/core/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "scion/core/error.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct TrainConfig {
  double peak_learning_rate = 2e-3;
  int64_t updates = 1000;
  std::string optimiser = "scaled_adam";
  std::vector<int64_t> seeds = {1, 2};
  std::vector<double> factors = {0.9, 1.0, 1.1};

  void declare(Options& o) {
    o.add("peak_lr", peak_learning_rate, "peak learning rate").range(0, 10);
    o.add("updates", updates, "length")
        .range(1, std::numeric_limits<double>::infinity())
        .unit("updates");
    o.add("optimiser", optimiser, "update rule").choices({"scaled_adam", "adamw"});
    o.add("seeds", seeds, "one run each").range(0, 100);
    o.add("factors", factors, "speed | perturbation");
  }
};

struct Config {
  TrainConfig train;
  std::string name = "run";
  bool verbose = false;
  std::vector<std::string> words;
  Options options;

  Config() {
    options.section("train", train, "How it is trained.");
    options.add("name", name, "what it is called");
    options.add("verbose", verbose, "say more");
    options.add("words", words, "some words");
  }
  void load(const std::string& text) { options.load_toml(text, "a.toml"); }
  std::string error(const std::string& text) {
    return error_of<UserError>([&] { load(text); });
  }
  std::string flag_error(const std::string& key, const std::string& text) {
    return error_of<UserError>([&] { options.set(key, text, "--" + key); });
  }
};

TEST(Options, LoadsToml) {
  Config c;
  c.load(R"(name = "x"
verbose = true
words = ["a", "b"]
[train]
peak_lr = 1
updates = 2_000
optimiser = "adamw"
seeds = [3]
factors = [1, 0.5])");
  EXPECT_EQ(c.name, "x");
  EXPECT_TRUE(c.verbose);
  EXPECT_THAT(c.words, ElementsAre("a", "b"));
  EXPECT_EQ(c.train.peak_learning_rate, 1.0);
  EXPECT_EQ(c.train.updates, 2000);
  EXPECT_EQ(c.train.optimiser, "adamw");
  EXPECT_THAT(c.train.seeds, ElementsAre(3));
  EXPECT_THAT(c.train.factors, ElementsAre(1.0, 0.5));
}

TEST(Options, WhatIsNotNamedStays) {
  Config c;
  c.load("train.updates = 5");
  EXPECT_EQ(c.train.updates, 5);
  EXPECT_EQ(c.train.peak_learning_rate, 2e-3);
}

TEST(Options, UnknownKeysNameThePlaceAndTheNearest) {
  Config c;
  EXPECT_THAT(c.error("name = \"x\"\n[train]\npeek_lr = 1"),
              AllOf(HasSubstr("a.toml:3: unknown option train.peek_lr"),
                    HasSubstr("did you mean train.peak_lr?")));
  EXPECT_THAT(c.error("peak_lr = 1"), HasSubstr("did you mean train.peak_lr?"));
  EXPECT_THAT(c.error("[zzzzzzzzz]"),
              AllOf(HasSubstr("a.toml:1: unknown option zzzzzzzzz"), HasSubstr("scion config")));
  EXPECT_THAT(c.error("train = 3"), HasSubstr("train is a section, not an option"));
  EXPECT_THAT(c.error("[name]\nx = 1"), HasSubstr("unknown option name.x"));
  EXPECT_EQ(c.error("[train]"), "");
}

TEST(Options, WrongTypesAreErrors) {
  Config c;
  EXPECT_THAT(c.error("name = 3"), HasSubstr("a.toml:1: name must be a string, is 3"));
  EXPECT_THAT(c.error("verbose = 1"), HasSubstr("true or false"));
  EXPECT_THAT(c.error("train.updates = 1.5"), HasSubstr("a whole number, is 1.5"));
  EXPECT_THAT(c.error("train.updates = \"5\""), HasSubstr("a whole number, is \"5\""));
  EXPECT_THAT(c.error("train.peak_lr = \"x\""), HasSubstr("a number"));
  EXPECT_THAT(c.error("train.peak_lr = nan"), HasSubstr("a number"));
  EXPECT_THAT(c.error("train.seeds = [1, \"x\"]"), HasSubstr("a list of whole numbers"));
  EXPECT_THAT(c.error("train.seeds = 1"), HasSubstr("a list of whole numbers"));
  EXPECT_THAT(c.error("words = [\"a\", 1]"), HasSubstr("a list of strings"));
  EXPECT_THAT(c.error("name = 2020-01-01"), HasSubstr("name must be a string"));
}

TEST(Options, RangesAreInclusive) {
  Config c;
  c.load("train.peak_lr = 0");
  c.load("train.peak_lr = 10");
  EXPECT_THAT(c.error("train.peak_lr = 10.5"),
              AllOf(HasSubstr("a.toml:1: train.peak_lr must be 0 to 10, is 10.5"),
                    HasSubstr("peak learning rate")));
  EXPECT_THAT(c.error("train.updates = 0"), HasSubstr("must be at least 1, is 0"));
  EXPECT_THAT(c.error("train.seeds = [5, 101]"), HasSubstr("must be 0 to 100, is 101"));
  EXPECT_EQ(c.train.peak_learning_rate, 10);
  EXPECT_THAT(c.train.seeds, ElementsAre(1, 2));
}

TEST(Options, ChoicesNameTheNearest) {
  Config c;
  EXPECT_THAT(c.error("train.optimiser = \"adam\""),
              AllOf(HasSubstr("must be one of scaled_adam, adamw, is \"adam\""),
                    HasSubstr("did you mean \"adamw\"?")));
}

TEST(Options, FlagsAreText) {
  Config c;
  c.options.set("train.peak_lr", "3e-3", "flag");
  c.options.set("train.updates", "1e5", "flag");
  c.options.set("train.seeds", "4, 5", "flag");
  c.options.set("train.factors", "0.5", "flag");
  c.options.set("words", "a,b c", "flag");
  c.options.set("verbose", "true", "flag");
  c.options.set("name", "12", "flag");
  EXPECT_EQ(c.train.peak_learning_rate, 3e-3);
  EXPECT_EQ(c.train.updates, 100'000);
  EXPECT_THAT(c.train.seeds, ElementsAre(4, 5));
  EXPECT_THAT(c.train.factors, ElementsAre(0.5));
  EXPECT_THAT(c.words, ElementsAre("a", "b c"));
  EXPECT_TRUE(c.verbose);
  EXPECT_EQ(c.name, "12");
  c.options.set("words", "", "flag");
  EXPECT_THAT(c.words, IsEmpty());
}

TEST(Options, AListFlagIsAnArrayAPathOrItemsBetweenCommas) {
  const TemporaryFolder folder;
  Config c;
  c.options.set("words", R"(["a,b.jsonl", 'c'])", "flag");
  EXPECT_THAT(c.words, ElementsAre("a,b.jsonl", "c"));
  c.options.set("train.seeds", "[50,51]", "flag");
  EXPECT_THAT(c.train.seeds, ElementsAre(50, 51));
  const std::string path = (folder / "co,mma").string();
  c.options.set("words", path, "flag");
  EXPECT_EQ(c.words.size(), 2U);
  std::filesystem::create_directories(path);
  c.options.set("words", path, "flag");
  EXPECT_THAT(c.words, ElementsAre(path));
  c.options.set("words", "[a],b", "flag");
  EXPECT_THAT(c.words, ElementsAre("[a]", "b"));
}

TEST(Options, BadFlagsAreErrors) {
  Config c;
  EXPECT_THAT(c.flag_error("train.peak_lr", "fast"),
              HasSubstr("--train.peak_lr: train.peak_lr must be a number, is \"fast\""));
  EXPECT_THAT(c.flag_error("train.updates", "12x"), HasSubstr("is \"12x\""));
  EXPECT_THAT(c.flag_error("train.updates", ""), HasSubstr("a whole number"));
  EXPECT_THAT(c.flag_error("train.seeds", "1,,2"), HasSubstr("is \"1,,2\""));
  EXPECT_THAT(c.flag_error("verbose", "yes"), HasSubstr("true or false, is \"yes\""));
  EXPECT_THAT(c.flag_error("train.peak", "1"), HasSubstr("did you mean train.peak_lr?"));
  EXPECT_THAT(c.flag_error("train.updates", "99999999999999999999"), HasSubstr("a whole number"));
}

TEST(Options, TomlOfTheOptionsLoadsToTheSame) {
  Config before;
  before.name = "quo\"te \\ \n tab\t del\x7f \xF0\x9F\x98\x80 \x01";
  before.words = {"", "a, b", "#"};
  before.train.peak_learning_rate = 0.1 + 0.2;
  before.train.factors = {1, 1e300, 1e-7, std::numeric_limits<double>::infinity()};
  before.train.updates = std::numeric_limits<int64_t>::max();
  before.train.seeds = {};
  Config after;
  after.load(before.options.to_toml());
  EXPECT_EQ(after.options.to_json(), before.options.to_json());
  EXPECT_EQ(after.options.to_toml(), before.options.to_toml());
}

TEST(Options, TomlHasCommentsAndSections) {
  EXPECT_THAT(
      Config().options.to_toml(),
      AllOf(::testing::StartsWith("# what it is called\nname = \"run\"\n"),
            HasSubstr("\n# How it is trained.\n[train]\n# peak learning rate (0 to 10)\n"
                      "peak_lr = 0.002\n# length (in updates; at least 1)\n"),
            HasSubstr("factors = [0.9, 1.0, 1.1]"), HasSubstr("(one of: scaled_adam, adamw)")));
}

TEST(Options, MarkdownHasATableASection) {
  const std::string page = Config().options.to_markdown();
  EXPECT_THAT(page, HasSubstr("## `train`\n\nHow it is trained.\n\n| option |"));
  EXPECT_THAT(page, HasSubstr("| `train.peak_lr` | `0.002` | 0 to 10 | peak learning rate |\n"));
  EXPECT_THAT(page, HasSubstr("speed \\| perturbation"));
}

TEST(Options, JsonIsNestedAndLoads) {
  Config c;
  EXPECT_EQ(c.options.to_json()["train"]["seeds"], nlohmann::json({1, 2}));
  c.options.load_json({{"train", {{"updates", 7}}}}, "arm 'x'");
  EXPECT_EQ(c.train.updates, 7);
  EXPECT_THAT(error_of<UserError>([&] {
                c.options.load_json({{"train", {{"update", 7}}}}, "arm 'x'");
              }),
              AllOf(HasSubstr("arm 'x': unknown option train.update"), HasSubstr("train.updates")));
  EXPECT_THAT(error_of<UserError>([&] { c.options.load_json(3, "arm"); }), HasSubstr("a table"));
}

TEST(Toml, ParsesToJson) {
  EXPECT_EQ(parse_toml("a = 1\nb = [1.5, true]\n[c]\nd = \"x\"\n[[e]]\nf = 1\n[[e]]\nf = 2", "x"),
            nlohmann::json::parse(R"({"a":1,"b":[1.5,true],"c":{"d":"x"},"e":[{"f":1},{"f":2}]})"));
}

TEST(Toml, SyntaxErrorsNameLineAndColumn) {
  EXPECT_THAT(error_of<UserError>([] { parse_toml("a = 1\nb = = 2", "dir/b.toml"); }),
              HasSubstr("dir/b.toml:2:5: "));
  EXPECT_THAT(error_of<UserError>([] { parse_toml("a = 1\na = 2", "b.toml"); }),
              HasSubstr("b.toml:2:"));
  EXPECT_THAT(error_of<UserError>([] { parse_toml("a = \"\xff\"", "b.toml"); }),
              HasSubstr("b.toml:1:"));
}

TEST(NearestName, WithinHalfTheLength) {
  const std::vector<std::string> names = {"encoder", "predictor", "joiner"};
  EXPECT_EQ(nearest_name("encodr", names), "encoder");
  EXPECT_EQ(nearest_name("predicter", names), "predictor");
  EXPECT_EQ(nearest_name("join", names), "joiner");
  EXPECT_EQ(nearest_name("xyz", names), "");
  EXPECT_EQ(nearest_name("", names), "");
  EXPECT_EQ(nearest_name("abc", {}), "");
}

}  // namespace
}  // namespace scion
