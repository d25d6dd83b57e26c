#include "scion/training/teacher.h"

#include "scion/core/error.h"
#include "scion/model/compatibility.h"
#include "scion/model/model_file.h"
#include "scion/model/precision.h"

namespace scion {

Teacher::Teacher(const DistillConfig& config, Precision precision, const Transducer& student,
                 const Tokenizer& tokenizer)
    : nodes_(config.weight > 0), ctc_(config.ctc_weight > 0), weighting_(config.nodes) {
  ModelFile file = load_model(config.teacher);
  require_same_features_and_text(file.model->config(), student.config());
  require_same_subsampling(file.model->encoder(), student.encoder(), "train.distill");
  require_same_pieces(Tokenizer(file.tokenizer), tokenizer, "train.distill");
  if (ctc_ && !file.model->config().ctc)
    throw UserError(fmt::format("train.distill.ctc_weight is {} and {} has no CTC head",
                                config.ctc_weight, config.teacher),
                    "set train.distill.ctc_weight = 0");
  model_ = std::move(file.model);
  bf16_ = use_bf16(precision, student.device().is_cuda() ? "cuda" : "cpu",
                   model_->registry().parameter_count());
  model_->to(student.device());
}

TeacherOutput Teacher::targets_for(const Batch& batch) const {
  const at::NoGradGuard no_grad;
  const EncoderOutput encoder =
      model_->encode(batch.features, batch.feature_lengths, ForwardContext::for_evaluation(bf16_));
  TeacherOutput output;
  if (nodes_) output.nodes = node_targets_of(encoder, batch);
  if (ctc_)
    output.ctc_logits = model_->ctc_logits(encoder.frames, ForwardContext::for_evaluation(bf16_));
  return output;
}

NodeTargets Teacher::node_targets_of(const EncoderOutput& encoder, const Batch& batch) const {
  const ForwardContext context = ForwardContext::for_evaluation(bf16_);
  const at::Tensor predicted = model_->predictor().forward(batch.tokens, context);
  return node_targets(model_->joiner().inputs(encoder.frames, predicted, context),
                      {batch.tokens, encoder.lengths, batch.token_lengths}, weighting_,
                      {.blank = blank, .bf16 = bf16_}, {.durations = model_->config().durations});
}

}  // namespace scion
