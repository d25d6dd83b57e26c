// Work on batches whose utterances may be too long for the memory.
#pragma once

#include <exception>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "scion/core/out_of_memory.h"
#include "scion/data/batch.h"

namespace scion {

/// What `work` makes of each utterance of a batch. Where memory runs out on all of them together it
/// works on them one by one, and an utterance that does not fit even so has nothing.
template <class Result>
std::vector<std::optional<Result>> work_on_what_fits(
    const Batch& batch, const std::function<std::vector<Result>(const Batch&)>& work) {
  const auto unless_too_large = [&](const Batch& part) -> std::optional<std::vector<Result>> {
    try {
      return work(part);
    } catch (const std::exception& error) {
      if (!is_out_of_memory(error)) throw;
      return std::nullopt;
    }
  };
  std::vector<std::optional<Result>> results;
  if (auto together = unless_too_large(batch)) {
    for (Result& result : *together) results.emplace_back(std::move(result));
    return results;
  }
  for (size_t b = 0; b < batch.indices.size(); ++b) {
    auto alone = unless_too_large(one_utterance(batch, b));
    results.push_back(alone ? std::optional(std::move(alone->front())) : std::nullopt);
  }
  return results;
}

}  // namespace scion
