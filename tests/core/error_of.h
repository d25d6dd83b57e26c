// What an action throws, as text to compare.
#pragma once

#include <string>

namespace scion {

/// As "message | hint"; "" when it throws nothing of type E.
template <class E, class Action>
std::string error_of(Action&& action) {
  try {
    action();
  } catch (const E& error) {
    return std::string(error.what()) + " | " + error.hint();
  }
  return "";
}

/// The message alone.
template <class E, class Action>
std::string message_of(Action&& action) {
  const std::string error = error_of<E>(action);
  return error.substr(0, error.find(" | "));
}

}  // namespace scion
