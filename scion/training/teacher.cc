#include "scion/training/teacher.h"

#include "scion/core/error.h"
#include "scion/model/model_file.h"
#include "scion/model/precision.h"
#include "scion/selection/select.h"

namespace scion {
namespace {

void require_same_subsampling(const Encoder& teacher, const Encoder& student) {
  for (int64_t frames = 1; frames < 100; ++frames) {
    const int64_t taught = teacher.subsampling().frames_out(frames);
    const int64_t own = student.subsampling().frames_out(frames);
    if (taught == own) continue;
    throw UserError(fmt::format("train.distill: of {} feature frames the teacher's encoder makes "
                                "{}, the student's {}",
                                frames, taught, own),
                    "give both the same subsampling, or learn from another teacher");
  }
}

void require_same_pieces(const Tokenizer& teacher, const Tokenizer& student) {
  const std::string hint = "set data.tokenizer to the teacher's, or learn from another teacher";
  if (teacher.size() != student.size())
    throw UserError(fmt::format("train.distill: the teacher has {} pieces, the student {}",
                                teacher.size(), student.size()),
                    hint);
  for (int64_t id = 0; id < student.size(); ++id)
    if (teacher.piece(id) != student.piece(id))
      throw UserError(
          fmt::format("train.distill: piece {} is '{}' to the teacher and '{}' to the student", id,
                      teacher.piece(id), student.piece(id)),
          hint);
}

}  // namespace

Teacher::Teacher(const DistillConfig& config, const std::string& precision,
                 const Transducer& student, const Tokenizer& tokenizer)
    : nodes_(config.weight > 0), ctc_(config.ctc_weight > 0), weighting_(config.nodes) {
  ModelFile file = load_model(config.teacher);
  require_same_features_and_text(file.model->config(), student.config());
  require_same_subsampling(file.model->encoder(), student.encoder());
  require_same_pieces(Tokenizer(file.tokenizer), tokenizer);
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
  const Joiner& joiner = model_->joiner();
  const at::Tensor predicted = model_->predictor().forward(batch.tokens, context);
  return node_targets({.encoder = joiner.project_encoder(encoder.frames, context),
                       .predictor = joiner.project_predictor(predicted, context),
                       .weight = joiner.weight(),
                       .bias = joiner.bias(),
                       .tokens = batch.tokens,
                       .frame_lengths = encoder.lengths,
                       .token_lengths = batch.token_lengths},
                      weighting_, {.blank = blank, .bf16 = bf16_});
}

}  // namespace scion
