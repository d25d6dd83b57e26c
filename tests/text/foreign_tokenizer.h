// Tokenizers as other programs train them, for tests.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "scion/text/text_iterator.h"
#include "scion/text/tokenizer.h"

namespace scion::testing {

/// A character model of SentencePiece, trained with these further arguments.
inline std::string foreign_model(const std::vector<std::string>& texts,
                                 const std::string& arguments) {
  TextIterator sentences(texts);
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(
      "--model_type=char --vocab_size=1000 --hard_vocab_limit=false --use_all_vocab=true "
      "--add_dummy_prefix=false --minloglevel=2 " +
          arguments,
      &sentences, &model);
  if (!status.ok()) throw std::runtime_error(status.ToString());
  return model;
}

/// One that lowers the case and composes characters (SentencePiece's nmt_nfkc_cf).
inline Tokenizer case_folding_tokenizer(const std::vector<std::string>& texts) {
  return Tokenizer(foreign_model(texts,
                                 "--normalization_rule_name=nmt_nfkc_cf --unk_id=1 --bos_id=-1 "
                                 "--eos_id=-1 --control_symbols=<blk>"));
}

}  // namespace scion::testing
