#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "values/mail/encoded_word.h"
#include "values/mail/grammar.h"
#include "values/mail/mime.h"
#include "values/text/ascii.h"
#include "values/text/hex.h"
#include "values/text/utf8.h"

namespace tapal::mail {

namespace {

constexpr std::size_t parameters_max = 64;

std::unexpected<Error> wrong_content_type(std::string_view body, std::string_view what) {
  return fail(Code::invalid,
              fmt::format("\"{}\" is malformed: {}", text::printable(body, 120), what));
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }

  // White space and comments; false when a comment does not end.
  bool skip_space() {
    std::size_t depth = 0;
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (c == '\\' && depth > 0 && rest_.size() > 1) rest_.remove_prefix(1);
      if (c == '(') ++depth;
      if (c == ')' && depth > 0) {
        --depth;
      } else if (depth == 0 && !text::is_white_space(c)) {
        return true;
      }
      rest_.remove_prefix(1);
    }
    return depth == 0;
  }

  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // Any run of what separates nothing: wider than a token, since many senders leave quotes out.
  std::string_view token() {
    constexpr std::string_view separators = " \t\r\n;=\"()";
    const std::string_view taken = rest_.substr(0, rest_.find_first_of(separators));
    rest_.remove_prefix(taken.size());
    return taken;
  }

  std::optional<std::string> value() {
    if (!take('"')) return std::string(token());
    std::string quoted;
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return quoted;
      if (c == '\\' && !rest_.empty()) {
        c = rest_.front();
        rest_.remove_prefix(1);
      }
      if (c != '\r' && c != '\n') quoted += c;
    }
    return {};
  }

 private:
  std::string_view rest_;
};

std::string percent_decoded(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte =
        text[i] == '%' ? text::from_hex(text.substr(i + 1, 2)) : Result<std::string>();
    if (byte && !byte->empty()) {
      bytes += *byte;
      i += 2;
    } else {
      bytes += text[i];
    }
  }
  return bytes;
}

// One parameter as written: "name", "name*", "name*0", "name*0*" (RFC 2231).
struct Piece {
  std::string name;
  unsigned index = 0;
  bool is_encoded = false;
  bool is_extended = false;  // has any star, so it wins over the plain form
};

Piece piece_of(std::string_view written) {
  Piece piece;
  piece.is_encoded = written.ends_with('*');
  if (piece.is_encoded) written.remove_suffix(1);
  const std::size_t star = written.find('*');
  if (star != std::string_view::npos) {
    const auto index = text::to_number<unsigned>(written.substr(star + 1));
    if (!index || *index >= parameters_max) return {text::to_lower(written), 0, false, false};
    piece.index = *index;
  }
  piece.is_extended = piece.is_encoded || star != std::string_view::npos;
  piece.name = text::to_lower(written.substr(0, star));
  return piece;
}

// "charset'language'text" of the first encoded piece.
std::string without_charset(std::string_view value, std::string& charset) {
  const std::size_t first = value.find('\'');
  const std::size_t second = first < value.size() ? value.find('\'', first + 1) : first;
  if (second >= value.size()) return std::string(value);
  charset = value.substr(0, first);
  return std::string(value.substr(second + 1));
}

// By way of encoded words, which know the character sets; their neighbours join again.
std::string decoded_from(std::string_view charset, std::string_view bytes) {
  constexpr std::size_t piece_bytes = 200;
  std::string words;
  for (std::size_t at = 0; at < bytes.size(); at += piece_bytes) {
    words += fmt::format("=?{}?Q?", charset);
    for (const char c : bytes.substr(at, piece_bytes)) {
      words += fmt::format("={:02X}", static_cast<unsigned char>(c));
    }
    words += "?= ";
  }
  return decode_encoded_words(text::trim(words));
}

std::string to_utf8(const std::string& bytes, const std::string& charset) {
  if (!charset.empty() && !text::equals_ignoring_case(charset, "utf-8")) {
    std::string decoded = decoded_from(charset, bytes);
    if (!decoded.starts_with("=?")) return decoded;  // a character set that is known
  }
  return text::is_valid_utf8(bytes) ? bytes : decoded_from("utf-8", bytes);
}

class Parameters {
 public:
  void add(std::string_view written, std::string value) {
    Piece piece = piece_of(written);
    auto& pieces = found_[piece.name];
    if (pieces.empty()) order_.push_back(piece.name);
    // Of two with the same name the first holds.
    pieces.try_emplace({piece.is_extended, piece.index}, Value{piece.is_encoded, std::move(value)});
  }

  std::vector<Parameter> take() {
    std::vector<Parameter> parameters;
    for (std::string& name : order_) {
      std::string value = joined(found_[name]);
      parameters.push_back({std::move(name), std::move(value)});
    }
    return parameters;
  }

 private:
  struct Value {
    bool is_encoded = false;
    std::string text;
  };
  using Pieces = std::map<std::pair<bool, unsigned>, Value>;

  static std::string joined(const Pieces& pieces) {
    if (!pieces.contains({true, 0})) return decode_encoded_words(pieces.begin()->second.text);
    std::string bytes;
    std::string charset;
    for (unsigned index = 0;; ++index) {
      const auto piece = pieces.find({true, index});
      if (piece == pieces.end()) break;
      std::string text = piece->second.text;
      if (index == 0 && piece->second.is_encoded) text = without_charset(text, charset);
      bytes += piece->second.is_encoded ? percent_decoded(text) : text;
    }
    return to_utf8(bytes, charset);
  }

  std::vector<std::string> order_;
  std::map<std::string, Pieces> found_;
};

}  // namespace

std::string_view ContentType::parameter(std::string_view name) const {
  const auto found = std::ranges::find(parameters, name, &Parameter::name);
  return found == parameters.end() ? std::string_view() : std::string_view(found->value);
}

Result<ContentType> parse_content_type(std::string_view field_body) {
  Scanner scan(field_body);
  const std::string_view open_comment = "a comment is not closed";
  if (!scan.skip_space()) return wrong_content_type(field_body, open_comment);
  ContentType content;
  content.type = text::to_lower(scan.token());
  if (content.type.empty()) return wrong_content_type(field_body, "the type is missing");
  Parameters parameters;
  for (std::size_t count = 0;; ++count) {
    if (!scan.skip_space()) return wrong_content_type(field_body, open_comment);
    if (scan.at_end()) break;
    if (!scan.take(';'))
      return wrong_content_type(field_body, "a semicolon is missing between parameters");
    if (!scan.skip_space()) return wrong_content_type(field_body, open_comment);
    const std::string_view name = scan.token();
    if (name.empty()) continue;  // two semicolons, or one at the end
    if (count == parameters_max)
      return wrong_content_type(field_body, "it has too many parameters");
    if (!scan.skip_space() || !scan.take('=') || !scan.skip_space()) {
      return wrong_content_type(field_body, "a parameter has no value");
    }
    auto value = scan.value();
    if (!value) return wrong_content_type(field_body, "a quoted value is not closed");
    parameters.add(name, *std::move(value));
  }
  content.parameters = parameters.take();
  return content;
}

}  // namespace tapal::mail
