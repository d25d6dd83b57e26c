// Corrupted copies of test sets.
#pragma once

#include <filesystem>

#include "scion/study/conditions/corruption.h"

namespace scion {

/// Writes a corrupted copy of a manifest's utterances (16 kHz WAV files and a manifest) into a
/// folder under `directory` named by a checksum of the configuration, so that a copy is made once,
/// by one process, and is complete or absent. `babble_manifest`: source of the babble, from which
/// utterances of `config.babble_speakers` other speakers are drawn; empty for no babble. Returns
/// the manifest of the copy. Utterances whose audio cannot be read are copied unchanged, so that
/// the reader of the copy reports them.
std::filesystem::path make_condition(const std::filesystem::path& manifest,
                                     const std::filesystem::path& babble_manifest,
                                     const CorruptionConfig& config,
                                     const std::filesystem::path& directory);

}  // namespace scion
