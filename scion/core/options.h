// Options declared once: the TOML key, the command-line flag, --help, validation and the
// reference page all come from the same declaration.
//
//   struct TrainConfig {
//     double peak_learning_rate = 2e-3;
//     void declare(Options& o) {
//       o.add("peak_lr", peak_learning_rate, "peak learning rate").range(0, 10);
//     }
//   };
//
// An option may also be bound to a type that is written as a word or a short text:
//
//   enum class Window { povey, hamming };
//   template <>
//   inline constexpr std::array option_words<Window>{"povey", "hamming"};
//
// declares an enum's words (they are the option's choices); a specialisation of OptionText<T>
// converts any other type.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "scion/core/option_words.h"

namespace scion {

/// Converts values of an option type from and to text. A specialisation has
///   static constexpr const char* kind;                      // "a length such as \"2e\""
///   static std::string text(const T& value);
///   static std::optional<T> parse(const std::string& text);
template <class T>
struct OptionText;

template <WordEnum Enum>
struct OptionText<Enum> {
  static constexpr const char* kind = "a word";
  static std::string text(Enum value) { return word_of(value); }
  static std::optional<Enum> parse(const std::string& text) { return enum_of<Enum>(text); }
};

template <class T>
concept TextOption = requires(const T& value) {
  { OptionText<T>::text(value) } -> std::convertible_to<std::string>;
};

/// A variable whose values are written as text.
struct TextTarget {
  std::string kind;
  std::function<std::string()> text;
  std::function<bool(const std::string&)> parse;  ///< false (nothing changes) when it is no value
};

/// A list of such values.
struct TextListTarget {
  std::string kind;
  std::function<std::vector<std::string>()> text;
  std::function<bool(const std::vector<std::string>&)> parse;
};

/// One declared option, bound to a variable. Ranges are inclusive.
class Option {
 public:
  using Target =
      std::variant<bool*, int64_t*, double*, std::string*, std::vector<int64_t>*,
                   std::vector<double>*, std::vector<std::string>*, TextTarget, TextListTarget>;
  Option(std::string key, Target target, std::string help)
      : key_(std::move(key)), target_(std::move(target)), help_(std::move(help)) {}

  Option& range(double low, double high);
  Option& unit(std::string unit);
  Option& choices(std::vector<std::string> choices);
  /// A run that was interrupted may continue with another value: it changes how the work is done,
  /// not what is learnt.
  Option& adjustable();
  /// Names a file or a folder, in whose content the meaning lies: its place may change.
  Option& path();

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
  bool is_set() const { return is_set_; }
  bool is_adjustable() const { return is_adjustable_; }
  bool is_path() const { return is_path_; }

 private:
  void check(const nlohmann::json& value, const std::string& place) const;
  std::string key_;
  Target target_;
  std::string help_, unit_;
  double low_ = 0, high_ = 0;
  bool has_range_ = false, is_set_ = false, is_adjustable_ = false, is_path_ = false;
  std::vector<std::string> choices_;
};

/// All options of a configuration, in the order of their declaration.
class Options {
 public:
  template <class T>
  Option& add(const std::string& key, T& target, std::string help) {
    options_.push_back(std::make_unique<Option>(prefix_ + key, target_of(target), std::move(help)));
    if constexpr (WordEnum<T>) options_.back()->choices(words_of<T>());
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

  /// `former`, an earlier name of the option `key`, still sets it, with a warning. `key` may be in
  /// a section below: former("loss_workspace", "loss.workspace").
  void former(const std::string& former, const std::string& key);
  /// The option's name where `key` is a former one, else `key`.
  std::string current_name(const std::string& key) const;
  /// Whether the option was set since it was declared. False for unknown keys.
  bool is_set(const std::string& key) const;

  /// Sets what the TOML text names. Unknown keys are UserErrors with the nearest known name;
  /// the message names `place` (a file) and the line. Relative paths stay as they are: the caller
  /// resolves them.
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
  template <class T>
  static Option::Target target_of(T& target) {
    return &target;
  }
  template <TextOption T>
  static Option::Target target_of(T& target) {
    return TextTarget{.kind = OptionText<T>::kind,
                      .text = [&target] { return OptionText<T>::text(target); },
                      .parse =
                          [&target](const std::string& text) {
                            std::optional<T> value = OptionText<T>::parse(text);
                            if (!value) return false;
                            target = *std::move(value);
                            return true;
                          }};
  }
  template <TextOption T>
  static Option::Target target_of(std::vector<T>& target) {
    return TextListTarget{.kind = OptionText<T>::kind,
                          .text =
                              [&target] {
                                std::vector<std::string> texts;
                                for (const T& item : target)
                                  texts.push_back(OptionText<T>::text(item));
                                return texts;
                              },
                          .parse =
                              [&target](const std::vector<std::string>& texts) {
                                std::vector<T> items;
                                for (const std::string& text : texts) {
                                  std::optional<T> item = OptionText<T>::parse(text);
                                  if (!item) return false;
                                  items.push_back(*std::move(item));
                                }
                                target = std::move(items);
                                return true;
                              }};
  }
  Option& find(const std::string& name, const std::string& place);
  bool is_section(const std::string& key) const;
  void warn_of_former_names(const std::string& place);
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
  std::map<std::string, std::string> former_names_;  // to today's
  std::vector<std::string> former_used_;
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
