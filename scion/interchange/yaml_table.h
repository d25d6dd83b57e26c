// YAML of other toolkits: sections whose keys are taken one by one, so that none is overlooked.
#pragma once

#include <yaml-cpp/yaml.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace scion {

/// A mapping of a YAML file. Values like "${model.encoder.d_model}" (OmegaConf) are looked up from
/// the file's root. Every fault is a UserError that names file and key.
class YamlTable {
 public:
  /// The file's root.
  static YamlTable parse(const std::string& text, const std::string& file);

  /// A mapping below a key, empty where it is absent.
  YamlTable table(const std::string& key);
  bool contains(const std::string& key) const;
  bool is_text(const std::string& key) const;

  std::string text(const std::string& key, const std::string& fallback);
  int64_t integer(const std::string& key, int64_t fallback);
  double real(const std::string& key, double fallback);
  bool boolean(const std::string& key, bool fallback);
  /// As the functions above; UserError when it is absent or null.
  int64_t integer(const std::string& key);
  std::vector<std::string> texts(const std::string& key);
  /// One list of whole numbers, or several: [[70, 13], [70, 6]].
  std::vector<std::vector<int64_t>> integer_lists(const std::string& key);

  /// The value that stands for the text; UserError when it is none of the choices.
  template <class Value>
  Value choice(const std::string& key, const std::string& fallback,
               const std::vector<std::pair<std::string, Value>>& choices) {
    const std::string found = text(key, fallback);
    std::vector<std::string> names;
    for (const auto& [name, value] : choices) {
      if (found == name) return value;
      if (!name.empty()) names.push_back(name);
    }
    refuse(key, found, names);
  }
  /// UserError unless the key is absent, null, or one of the texts.
  void require(const std::string& key, const std::vector<std::string>& texts);
  /// Keys that change nothing here.
  void ignore(const std::vector<std::string>& keys);
  /// UserError naming a key that was not taken.
  void refuse_others() const;

  [[noreturn]] void fail(const std::string& key, const std::string& what,
                         const std::string& hint = "") const;
  /// fail(): `found` is not supported, and these are.
  [[noreturn]] void refuse(const std::string& key, const std::string& found,
                           const std::vector<std::string>& supported) const;

 private:
  YamlTable(const YAML::Node& root, const YAML::Node& node, std::string place);
  YAML::Node resolved(const YAML::Node& node, const std::string& key, int depth = 0) const;
  YAML::Node take(const std::string& key);
  template <class Value>
  std::optional<Value> read(const std::string& key, const char* what);

  YAML::Node root_, node_;
  std::string place_;
  std::set<std::string> taken_;
};

}  // namespace scion
