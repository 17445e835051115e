#include "rules/bounce/delivery_report.h"

#include <array>
#include <optional>
#include <utility>

#include "protocols/smtp/reply.h"
#include "values/text/ascii.h"

namespace tapal::bounce {
namespace {

constexpr std::size_t field_bytes_max = 2000;

// What follows "rfc822;" or "smtp;".
std::string_view without_type(std::string_view value) {
  const auto semicolon = value.find(';');
  if (semicolon == value.npos || value.substr(0, semicolon).contains(' ')) return value;
  return text::trim(value.substr(semicolon + 1));
}

std::string_view bare_address(std::string_view value) {
  value = without_type(value);
  if (value.starts_with('<')) value.remove_prefix(1);
  const auto quoted_end = value.starts_with('"') ? value.find("\"@") : value.npos;
  const auto from = quoted_end == value.npos ? 0 : quoted_end;
  return value.substr(0, value.find_first_of("> \t", from));
}

// "5.1.1 (permanent failure)", "#5.1.1".
std::string_view bare_status(std::string_view value) {
  while (value.starts_with('#')) value.remove_prefix(1);
  return smtp::leading_status(value.substr(0, value.find_first_of(" \t("))).value_or("");
}

// "host name lookup failure" of "4.0.0 (host name lookup failure)".
std::string comment_of(std::string_view status) {
  const auto open = status.find('(');
  if (open == status.npos) return {};
  return std::string(status.substr(open + 1, status.rfind(')') - open - 1));
}

class Collector {
 public:
  explicit Collector(std::size_t recipients_max) : recipients_max_(recipients_max) {}

  void on_line(std::string_view line) {
    if (text::trim(line).empty()) return end_group();
    if (text::is_blank(line.front())) {
      if (open_ != nullptr && open_->size() < field_bytes_max)
        *open_ += " " + std::string(text::trim(line));
      return;
    }
    open_ = nullptr;
    const auto colon = line.find(':');
    if (colon == line.npos) return;
    const auto* const field = field_named(text::trim(line.substr(0, colon)));
    if (field == nullptr) return;
    std::string& value = group_.*(field->value);
    if (!value.empty()) end_group();  // the next recipient, without a blank line before it
    value = text::trim(line.substr(colon + 1)).substr(0, field_bytes_max);
    open_ = &value;
  }

  std::vector<ReportedRecipient> finish() {
    end_group();
    return std::move(found_);
  }

 private:
  struct Group {
    std::string final_recipient, original_recipient, action, status, diagnostic;
  };
  struct Field {
    std::string_view name;
    std::string Group::* value;
  };
  static const Field* field_named(std::string_view name) {
    static constexpr std::array<Field, 5> fields{
        {{"Final-Recipient", &Group::final_recipient},
         {"Original-Recipient", &Group::original_recipient},
         {"Action", &Group::action},
         {"Status", &Group::status},
         {"Diagnostic-Code", &Group::diagnostic}}};
    for (const Field& field : fields) {
      if (text::equals_ignoring_case(field.name, name)) return &field;
    }
    return nullptr;
  }

  void end_group() {
    open_ = nullptr;
    const Group group = std::exchange(group_, {});
    const auto& named =
        group.final_recipient.empty() ? group.original_recipient : group.final_recipient;
    const bool is_recipient = !named.empty() && !(group.action.empty() && group.status.empty());
    if (!is_recipient && (group.action.empty() || group.diagnostic.empty())) return;
    if (found_.size() >= recipients_max_) return;
    const auto diagnostic = group.diagnostic.empty() ? comment_of(group.status) : group.diagnostic;
    found_.push_back({std::string(bare_address(named)),
                      text::to_lower(group.action),
                      std::string(bare_status(group.status)),
                      std::string(without_type(diagnostic))});
  }

  std::size_t recipients_max_;
  std::vector<ReportedRecipient> found_;
  Group group_;
  std::string* open_ = nullptr;  // the field that a fold continues
};

}  // namespace

std::vector<ReportedRecipient> reported_recipients(std::string_view text,
                                                   std::size_t recipients_max) {
  Collector collector(recipients_max);
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size() - 1);
    collector.on_line(text.substr(0, end + 1));
    text.remove_prefix(end + 1);
  }
  return collector.finish();
}

}  // namespace tapal::bounce
