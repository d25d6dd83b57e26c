// The HTML page of a report, with its style and script inline.
#pragma once

#include <string>

namespace scion {

/// A complete HTML document.
std::string html_page(const std::string& title, const std::string& body);

}  // namespace scion
