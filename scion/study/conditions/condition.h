// Corrupted copies of test sets.
#pragma once

#include <filesystem>

#include "scion/study/conditions/corruption.h"

namespace scion {

/// Writes a corrupted copy of a manifest's utterances (16 kHz WAV files and a manifest) into a
/// folder under `directory` whose name is a checksum of the recipe, so that a copy is made once,
/// by one process, and is whole or absent. `babble_manifest` holds the voices of the babble:
/// utterances of `config.babble_speakers` speakers other than the utterance's own are drawn from
/// it; empty for none. Returns the copy's manifest. Utterances whose audio cannot be read stand in
/// the copy as they are, so that who reads it reports them.
std::filesystem::path make_condition(const std::filesystem::path& manifest,
                                     const std::filesystem::path& babble_manifest,
                                     const CorruptionConfig& config,
                                     const std::filesystem::path& directory);

}  // namespace scion
