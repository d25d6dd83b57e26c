// A training run, from its configuration to its model file.
#pragma once

#include <filesystem>

#include "scion/training/config/run_config.h"

namespace scion {

/// Trains as configured. The folder then holds
///   config.toml         the configuration
///   updates.jsonl       one line an update: losses, divergences from the teacher, gradient norm,
///                       learning rates, seconds
///   results.jsonl       one line an evaluated epoch and set
///   events.out.tfevents…  the same for TensorBoard: train/loss, transducer, ctc, simple,
///                       node_divergence, ctc_divergence, gradient_norm, learning_rate,
///                       copied_learning_rate, speed (seconds of speech a second); wer/SET in %
///   measures.jsonl, loss_line.json, first.safetensors: with train.measure_every
///   skipped.jsonl       utterances left out, and why
///   checkpoints/        the newest checkpoints, while the run is not finished
///   model.safetensors   the finished model
///   inputs.safetensors  checksums of what it was trained on
/// A run that was interrupted continues from its newest checkpoint and ends with the same bytes
/// (same program, processor type and thread count). A finished run returns at once.
/// UserError when the folder holds a run whose options differ in what is learnt, or whose training
/// data or pieces have changed since its checkpoint; Failure when training
/// diverges, naming the batch's utterances and the first layer that was not finite.
void train(const RunConfig& config, const std::filesystem::path& directory);

}  // namespace scion
