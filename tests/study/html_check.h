// A strict check of the tags of the report's HTML.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace scion {

// "" if every tag that needs it is closed in order; otherwise the mistake. Skips the contents of
// <style> and <script>.
inline std::string unbalanced_tag(const std::string& html) {
  const std::vector<std::string> empty = {"meta", "br", "!DOCTYPE"};
  std::vector<std::string> open;
  for (size_t at = html.find('<'); at != std::string::npos; at = html.find('<', at)) {
    const size_t end = html.find('>', at);
    if (end == std::string::npos) return "a tag that does not end";
    const std::string tag = html.substr(at + 1, end - at - 1);
    at = end;
    const std::string name =
        tag.substr(tag.front() == '/', tag.find_first_of(" \n/", 1) - (tag.front() == '/'));
    if (tag.front() == '/') {
      if (open.empty() || open.back() != tag.substr(1))
        return "</" + tag.substr(1) + "> in " + (open.empty() ? "nothing" : open.back());
      open.pop_back();
    } else if (tag.back() != '/' && std::find(empty.begin(), empty.end(), name) == empty.end()) {
      open.push_back(name);
      if (name == "style" || name == "script") at = html.find("</" + name, at);
    }
  }
  return open.empty() ? "" : "<" + open.back() + "> is not closed";
}

}  // namespace scion
