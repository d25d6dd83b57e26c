// Tokenizers of models whose blank is the last output, with the blank as piece 0.
#pragma once

#include <string>
#include <vector>

namespace scion {

/// A serialised SentencePiece model whose first piece is the blank `<blk>`, followed by those of
/// `serialised`.
std::string with_blank_first(const std::string& serialised);

/// A serialised SentencePiece model that cuts texts into these characters, the blank before them.
/// Characters that are none of them become the blank's id.
std::string character_tokenizer(const std::vector<std::string>& characters);

}  // namespace scion
