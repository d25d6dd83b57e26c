#include "scion/training/initial_model.h"

#include <gmock/gmock.h>

#include "scion/core/error.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"
#include "tests/model/small_models.h"
#include "tests/text/foreign_tokenizer.h"

namespace scion {
namespace {

using ::testing::HasSubstr;

// A model file with the pieces of "aabbc", most frequent first.
class StartFromAFile : public ::testing::Test {
 protected:
  StartFromAFile() {
    const Tokenizer own = Tokenizer::train({"aabbc"}, {.kind = PieceKind::character});
    save_model(folder_ / "start.safetensors", Transducer(testing::small_config(), own.size()),
               own.serialised(), {});
    config_.train.init = folder_ / "start.safetensors";
    config_.data.tokenizer = folder_ / "tokenizer.model";
  }
  Tokenizer found_with(const std::string& tokenizer) {
    write_file(config_.data.tokenizer, tokenizer);
    return InitialModel(config_).find_tokenizer();
  }
  TemporaryFolder folder_;
  RunConfig config_;
};

TEST_F(StartFromAFile, OtherPiecesAreRefusedAndTheFirstIsNamed) {
  const auto refusal = [&](const std::string& text) {
    return error_of<UserError>(
        [&] { found_with(Tokenizer::train({text}, {.kind = PieceKind::character}).serialised()); });
  };
  // As many pieces, the same letters, another order.
  EXPECT_THAT(refusal("abbbc"), HasSubstr("piece 2 is 'a' in the model and 'b' in "));
  EXPECT_THAT(refusal("aabbcd"), HasSubstr("the model has 5 pieces, "));
}

TEST_F(StartFromAFile, EqualPiecesOfAnotherFileAreTaken) {
  const std::string other = testing::foreign_model(
      {"aabbc"}, "--unk_id=1 --bos_id=-1 --eos_id=-1 --control_symbols=<blk>");
  EXPECT_NE(other, load_model(config_.train.init).tokenizer);
  EXPECT_EQ(found_with(other).serialised(), other);
}

TEST_F(StartFromAFile, WithoutADataTokenizerTheModelsOwnIsTaken) {
  config_.data.tokenizer = "";
  config_.data.train = {"/none/train.jsonl"};
  EXPECT_EQ(InitialModel(config_).find_tokenizer().serialised(),
            load_model(config_.train.init).tokenizer);
}

}  // namespace
}  // namespace scion
