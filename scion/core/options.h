// Options declared once: the TOML key, the command-line flag, --help, validation and the
// reference page all come from the same declaration.
//
//   struct TrainConfig {
//     double peak_learning_rate = 2e-3;
//     void declare(Options& o) {
//       o.add("peak_lr", peak_learning_rate, "peak learning rate").range(0, 10);
//     }
//   };
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace scion {

/// One declared option, bound to a variable. Ranges are inclusive.
class Option {
 public:
  using Target = std::variant<bool*, int64_t*, double*, std::string*, std::vector<int64_t>*,
                              std::vector<double>*, std::vector<std::string>*>;
  Option(std::string key, Target target, std::string help)
      : key_(std::move(key)), target_(target), help_(std::move(help)) {}

  Option& range(double low, double high);
  Option& unit(std::string unit);
  Option& choices(std::vector<std::string> choices);

  const std::string& key() const { return key_; }  ///< dotted, e.g. "train.peak_lr"
  const std::string& help() const { return help_; }
  const std::string& unit() const { return unit_; }
  const std::vector<std::string>& choices() const { return choices_; }
  std::string range_text() const;  ///< "" when there is none
  nlohmann::json value() const;    ///< what it is now
  /// UserError (naming `place`) on a wrong type, a value out of range or not among the choices.
  void set(const nlohmann::json& value, const std::string& place);
  /// From a flag's text: "3e-3", "true", "1,2,3".
  void set_text(const std::string& text, const std::string& place);

 private:
  void check(const nlohmann::json& value, const std::string& place) const;
  std::string key_;
  Target target_;
  std::string help_, unit_;
  double low_ = 0, high_ = 0;
  bool has_range_ = false;
  std::vector<std::string> choices_;
};

/// All options of a configuration, in the order of their declaration.
class Options {
 public:
  template <class T>
  Option& add(const std::string& key, T& target, std::string help) {
    options_.push_back(
        std::make_unique<Option>(prefix_ + key, Option::Target(&target), std::move(help)));
    return *options_.back();
  }
  /// Declares a nested struct's options under `key.`
  template <class Config>
  void section(const std::string& key, Config& config, std::string help) {
    const std::string outer = prefix_;
    prefix_ += key + ".";
    sections_.emplace_back(prefix_.substr(0, prefix_.size() - 1), std::move(help));
    config.declare(*this);
    prefix_ = outer;
  }

  /// Sets what the TOML text names. Unknown keys are UserErrors with the nearest known name;
  /// `place` (a file's name) and the line stand in the message. Relative `_path` values stay as
  /// they are: whoever loads resolves them.
  void load_toml(std::string_view text, const std::string& place);
  /// A table already parsed to JSON, e.g. a part of a larger TOML file.
  void load_json(const nlohmann::json& table, const std::string& place);
  /// "train.peak_lr" ← "3e-3".
  void set(const std::string& key, const std::string& text, const std::string& place);

  nlohmann::json to_json() const;   ///< nested objects
  std::string to_toml() const;      ///< every option, comments with help and unit
  std::string to_markdown() const;  ///< the reference: one table a section
  const std::vector<std::unique_ptr<Option>>& all() const { return options_; }

 private:
  using PlaceOf = std::function<std::string(const std::string& key)>;
  Option& find(const std::string& key, const std::string& place);
  bool is_section(const std::string& key) const;
  void load(const nlohmann::json& table, const std::string& prefix, const PlaceOf& place_of);
  /// The options by section, top level first, each with the section's name and help.
  struct Group {
    std::string name, help;
    std::vector<const Option*> options;
  };
  std::vector<Group> groups() const;
  std::string prefix_;
  std::vector<std::unique_ptr<Option>> options_;
  std::vector<std::pair<std::string, std::string>> sections_;
};

/// A configuration's options with their values, in nested objects.
template <class Config>
nlohmann::json options_json(Config config) {
  Options options;
  config.declare(options);
  return options.to_json();
}

/// TOML text as JSON (tables → objects, arrays → arrays, numbers, strings, booleans).
/// UserError with line and column when it does not parse.
nlohmann::json parse_toml(std::string_view text, const std::string& place);

/// The candidate with the least edit distance to `name`, "" when none is near (distance > 1/2).
std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace scion
