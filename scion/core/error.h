// Errors that tell the user what is wrong and what to do about it.
#pragma once

#include <stdexcept>
#include <string>

#include "scion/core/foreign_text.h"

namespace scion {

/// What is wrong (with the value and the place) and, as the hint, what to do.
/// The program prints `error: …` and `hint: …` and exits with `exit_status()`. Messages quote
/// foreign text: both are kept as printable() shows them.
class Error : public std::runtime_error {
 public:
  Error(const std::string& message, const std::string& hint, int exit_status)
      : std::runtime_error(printable(message)), hint_(printable(hint)), exit_status_(exit_status) {}

  const std::string& hint() const { return hint_; }
  int exit_status() const { return exit_status_; }

 private:
  std::string hint_;
  int exit_status_;
};

/// A mistake that the user can fix: a wrong option, a broken input, the wrong model. Exit 2.
class UserError : public Error {
 public:
  explicit UserError(const std::string& message, const std::string& hint = "")
      : Error(message, hint, 2) {}
};

/// A failure of a sensible request: a full disk, a diverged training. Exit 1.
class Failure : public Error {
 public:
  explicit Failure(const std::string& message, const std::string& hint = "")
      : Error(message, hint, 1) {}
};

}  // namespace scion
