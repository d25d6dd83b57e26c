// A manifest with the name that results use for it.
#pragma once

#include <optional>
#include <string>

#include "scion/core/options.h"

namespace scion {

/// Written "name=path".
struct NamedManifest {
  std::string name, path;
  bool operator==(const NamedManifest&) const = default;
};

template <>
struct OptionText<NamedManifest> {
  static constexpr const char* kind = "a manifest with its name, \"name=manifest\"";
  static std::string text(const NamedManifest& manifest) {
    return manifest.name + "=" + manifest.path;
  }
  static std::optional<NamedManifest> parse(const std::string& text) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos) return std::nullopt;
    return NamedManifest{text.substr(0, equals), text.substr(equals + 1)};
  }
};

}  // namespace scion
