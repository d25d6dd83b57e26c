// The page around a report: style and script, held in the page itself.
#pragma once

#include <string>

namespace scion {

/// A whole HTML document.
std::string html_page(const std::string& title, const std::string& body);

}  // namespace scion
