#include "scion/loss/lattice/lattice_batch.h"

namespace scion {

LatticeRules rules_of(const TransducerLossOptions& options) {
  return {.blank = options.blank,
          .fast_emit = options.fast_emit,
          .delay_penalty = options.delay_penalty,
          .topology = options.topology};
}

LatticeRules rules_of(const TransducerLossOptions& options, const TdtOptions& tdt) {
  LatticeRules rules = rules_of(options);
  rules.durations = tdt.durations;
  rules.sigma = tdt.sigma;
  return rules;
}

LatticeRules rules_of(const SimpleLossOptions& options) {
  return {
      .blank = options.blank, .delay_penalty = options.delay_penalty, .topology = options.topology};
}

JoinerSettings settings_of(const TransducerLossOptions& options) {
  return {options.bf16, options.workspace_bytes};
}

LatticeBatch::LatticeBatch(at::Tensor tokens, at::Tensor frames, at::Tensor states,
                           int64_t max_frames, const LatticeRules& rules)
    : tokens_(std::move(tokens)),
      frames_(std::move(frames)),
      states_(std::move(states)),
      size_(frames_.size(0)),
      max_frames_(max_frames),
      max_states_(tokens_.size(1) + 1),
      rules_(rules),
      tokens_data_(tokens_.const_data_ptr<int64_t>()),
      frames_data_(frames_.const_data_ptr<int64_t>()),
      states_data_(states_.const_data_ptr<int64_t>()) {}

LatticeBatch LatticeBatch::band(at::Tensor first, int64_t width) const {
  LatticeBatch batch = *this;
  batch.first_ = std::move(first);
  batch.first_data_ = batch.first_.const_data_ptr<int64_t>();
  batch.band_width_ = width;
  return batch;
}

}  // namespace scion
