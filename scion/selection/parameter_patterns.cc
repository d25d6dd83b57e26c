#include "scion/selection/parameter_patterns.h"

#include <set>

#include "scion/core/error.h"
#include "scion/core/options.h"

namespace scion {
namespace {

bool matches_all(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0, star = std::string_view::npos, after_star = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      after_star = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {  // the last star takes one more
      p = star + 1;
      t = ++after_star;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace

bool matches_parameter(const std::string& pattern, const std::string& name) {
  for (size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1))
    if (matches_all(pattern, std::string_view(name).substr(0, dot))) return true;
  return matches_all(pattern, name);
}

void require_matches(const std::vector<std::string>& patterns, const Registry& model) {
  for (const std::string& pattern : patterns) {
    std::set<std::string> names;  // of parameters and of the parts around them
    bool matched = false;
    for (const Parameter& parameter : model.all()) {
      matched = matched || matches_parameter(pattern, parameter.name);
      const std::string& name = parameter.name;
      for (size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1))
        names.insert(name.substr(0, dot));
      names.insert(name);
    }
    if (matched) continue;
    const std::string near = nearest_name(pattern, {names.begin(), names.end()});
    throw UserError(fmt::format("--partial {}: the student has no such parameter", pattern),
                    near.empty() ? "scion inspect lists a model's parameters"
                                 : fmt::format("did you mean '{}'?", near));
  }
}

}  // namespace scion
