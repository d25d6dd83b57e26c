#include "scion/model/model_file.h"

#include <gmock/gmock.h>

#include "scion/core/error.h"
#include "scion/text/tokenizer.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"
#include "tests/model/small_models.h"

namespace scion {
namespace {

using ::testing::HasSubstr;

std::string tokenizer_of(const std::string& text) {
  return Tokenizer::train({text}, {.kind = PieceKind::character}).serialised();
}

TEST(ModelFile, TensorsOfAnotherProgramAreNoModel) {
  const TemporaryFolder folder;
  SafeTensors content;
  content.tensors.emplace_back("encoder.weight", at::ones({2, 3}));
  write_safetensors(folder / "theirs.safetensors", content);
  EXPECT_THAT(error_of<UserError>([&] { load_model(folder / "theirs.safetensors"); }),
              HasSubstr("theirs.safetensors: not a scion model"));
}

TEST(ModelFile, ATokenizerOfAnotherSizeIsRefusedWhenItIsSaved) {
  const TemporaryFolder folder;
  const Transducer model(testing::small_config(), 7);
  EXPECT_THAT(error_of<UserError>(
                  [&] { save_model(folder / "m.safetensors", model, tokenizer_of("abc"), {}); }),
              HasSubstr("the model has 7 outputs and its tokenizer 5 pieces"));
  EXPECT_FALSE(std::filesystem::exists(folder / "m.safetensors"));
  EXPECT_NO_THROW(save_model(folder / "m.safetensors", model, tokenizer_of("abcde"), {}));
}

TEST(ModelFile, ATokenizerOfAnotherSizeIsRefusedWhenItIsLoaded) {
  const TemporaryFolder folder;
  SafeTensors content =
      pack_model(Transducer(testing::small_config(), 7), tokenizer_of("abcde"), {});
  for (const std::string& tokenizer : {tokenizer_of("abcdef"), std::string("no tokenizer")}) {
    for (auto& [name, tensor] : content.tensors) {
      if (name != "tokenizer.model") continue;
      tensor = at::empty({static_cast<int64_t>(tokenizer.size())}, at::kByte);
      std::copy(tokenizer.begin(), tokenizer.end(), tensor.data_ptr<uint8_t>());
    }
    write_safetensors(folder / "m.safetensors", content);
    EXPECT_THAT(error_of<UserError>([&] { load_model(folder / "m.safetensors"); }),
                HasSubstr(tokenizer == "no tokenizer"
                              ? "m.safetensors: its tokenizer is not a SentencePiece model"
                              : "m.safetensors: the model has 7 outputs and its tokenizer 8"));
  }
}

}  // namespace
}  // namespace scion
