#include "scion/calibration/calibration_audio.h"

#include "scion/core/error.h"
#include "scion/recognition/model_dataset.h"

namespace scion {

CalibrationAudio read_calibration_audio(const Dataset& data, const Transducer& model,
                                        double seconds) {
  std::vector<std::pair<uint64_t, size_t>> order;
  for (size_t i = 0; i < data.size(); ++i) order.emplace_back(data.id_hash(i), i);
  std::sort(order.begin(), order.end());
  CalibrationAudio audio;
  for (const auto& [hash, i] : order) {
    if (!audio.utterances.empty() && audio.seconds + data.seconds(i) > seconds) break;
    const Example example = data.example(i, 1);
    if (!example.reason.empty() || model.frames_out(example.features.size(0)) == 0) continue;
    const std::vector<int64_t> tokens = data.tokenizer().encode(data.utterance(i).text);
    audio.utterances.push_back(
        {example.features.unsqueeze(0), at::tensor(tokens, at::kLong).unsqueeze(0), {}, {}});
    audio.seconds += data.seconds(i);
  }
  if (audio.utterances.empty())
    throw UserError("no utterance of the calibration audio can be used",
                    "give a manifest of readable files that are longer than one encoder frame");
  return audio;
}

CalibrationAudio read_calibration_audio(const std::vector<std::filesystem::path>& manifests,
                                        const ModelFile& teacher, double seconds) {
  return read_calibration_audio(dataset_for(teacher, manifests, DataPurpose::training),
                                *teacher.model, seconds);
}

}  // namespace scion
