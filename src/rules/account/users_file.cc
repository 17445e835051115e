#include "rules/account/users_file.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <span>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "values/crypto/foreign_password.h"
#include "values/text/ascii.h"
#include "values/text/utf8.h"

namespace tapal::account {
namespace {

constexpr std::string_view own_hash_prefix = "$argon2id$";
constexpr std::string_view scram_prefix = "SCRAM-SHA-256$";
constexpr std::string_view grants_prefix = "may-send-as=";
constexpr std::size_t password_hash_bytes_max = 512;
constexpr std::size_t problems_max = 100;

// Takes the first line off `text`, with its line end.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end == text.npos ? end : end + 1);
  text.remove_prefix(line.size());
  return line;
}

bool is_blank_or_comment(std::string_view line) {
  line = text::trim(line);
  return line.empty() || line.starts_with('#');
}

// The name of a line, trimmed; nothing for a line without a user.
std::optional<std::string_view> name_of(std::string_view line) {
  if (is_blank_or_comment(line)) return {};
  const std::size_t colon = line.find(':');
  if (colon == line.npos) return {};
  return text::trim(line.substr(0, colon));
}

bool is_password_hash(std::string_view word) {
  return word.starts_with(own_hash_prefix) || crypto::is_foreign_hash(word);
}

bool is_taken(std::span<const AppPassword> passwords, std::string_view name) {
  return std::ranges::find(passwords, name, &AppPassword::name) != passwords.end();
}

class Reader {
 public:
  Reader(std::string_view domain, std::string_view file_name)
      : domain_(domain), file_name_(file_name) {}

  UsersFile read(std::string_view text) {
    while (!text.empty() && result_.problems.size() < problems_max) {
      ++line_number_;
      const std::string_view line = take_line(text);
      if (line.size() > user_line_bytes_max) {
        problem(fmt::format("the line is longer than {} bytes", user_line_bytes_max));
      } else if (!is_blank_or_comment(line)) {
        read_user(text::trim(line));
      }
      if (result_.users.size() > users_per_domain_max) {
        problem(fmt::format("more than {} users in one domain", users_per_domain_max));
        break;
      }
    }
    return std::move(result_);
  }

 private:
  void problem(std::string_view what) {
    result_.problems.push_back(fmt::format("{}:{}: {}", file_name_, line_number_, what));
  }

  void read_user(std::string_view line) {
    const auto name = name_of(line);
    if (!name) return problem("no colon; a line is \"name: password-hash\"");
    if (const auto wrong = user_name_problem(*name); !wrong.empty()) return problem(wrong);
    auto address = mail::parse_address(fmt::format("{}@{}", *name, domain_));
    if (!address) return problem(address.error().what);

    UserRecord user{*std::move(address), {}, {}};
    const auto [first, is_new] = first_lines_.try_emplace(user.address.key(), line_number_);
    if (!is_new) {
      return problem(
          fmt::format("{} is here a second time; first on line {}", *name, first->second));
    }
    const auto words = text::words(line.substr(line.find(':') + 1));
    for (std::size_t i = 0; i < words.size() && !words[i].starts_with('#'); ++i) {
      // A word is never shown: it may be a password typed in the wrong place.
      if (const auto wrong = read_word(words[i], user); !wrong.empty())
        return problem(fmt::format("{}, word {} after the colon: {}", *name, i + 1, wrong));
    }
    if (user.password_hash.empty()) {
      return problem(fmt::format("{} has no password hash; set one with: tapal user passwd {}",
                                 *name,
                                 user.address.text()));
    }
    result_.users.push_back(std::move(user));
  }

  static std::string read_word(std::string_view word, UserRecord& user) {
    if (is_password_hash(word)) {
      if (!user.password_hash.empty()) return "a second password hash";
      if (word.size() > password_hash_bytes_max) return "this is too long for a password hash";
      if (!word.starts_with(own_hash_prefix)) {
        if (const auto wrong = crypto::foreign_hash_problem(word); !wrong.empty())
          return "the password hash " + wrong;
      }
      user.password_hash = word;
      return {};
    }
    if (word.starts_with(scram_prefix)) {
      if (user.scram) return "a second set of SCRAM keys";
      auto keys = crypto::ScramKeys::from_text(word);
      if (!keys) return keys.error().what;
      user.scram = *std::move(keys);
      return {};
    }
    if (word.starts_with(app_password_prefix)) return read_app_password(word, user);
    if (word.starts_with(grants_prefix))
      return read_grants(word.substr(grants_prefix.size()), user);
    return "expected $argon2id$... (or $scrypt$, $2y$, $5$, $6$: what another server made), "
           "SCRAM-SHA-256$..., app-password=... or may-send-as=address,...; "
           "a password in clear text never stands here";
  }

  static std::string read_app_password(std::string_view word, UserRecord& user) {
    auto password = AppPassword::from_text(word);
    if (!password) return password.error().what;
    if (user.app_passwords.size() == app_passwords_per_user_max)
      return fmt::format("more than {} application passwords", app_passwords_per_user_max);
    if (is_taken(user.app_passwords, password->name))
      return fmt::format("a second application password named {}", password->name);
    user.app_passwords.push_back(*std::move(password));
    return {};
  }

  static std::string read_grants(std::string_view list, UserRecord& user) {
    for (const std::string_view item : text::split(list, ',')) {
      if (user.grants.size() == grants_per_user_max)
        return fmt::format("more than {} addresses", grants_per_user_max);
      const bool whole_domain = item.starts_with("*@");
      auto address = mail::parse_address(whole_domain ? fmt::format("x{}", item.substr(1))
                                                      : std::string(item));
      if (!address) {
        return fmt::format("\"{}\" is neither an address nor *@domain: {}",
                           text::printable(item, 80),
                           address.error().what);
      }
      Grant grant{{}, address->domain};
      if (!whole_domain) grant.address = *std::move(address);
      user.grants.push_back(std::move(grant));
    }
    return {};
  }

  std::string_view domain_;
  std::string_view file_name_;
  std::size_t line_number_ = 0;
  std::unordered_map<std::string, std::size_t> first_lines_;
  UsersFile result_;
};

bool is_named(std::string_view line, const std::string& folded_name) {
  const auto name = name_of(line);
  return name && text::case_fold(*name) == folded_name;
}

Result<void> check_credentials(const Credentials& credentials) {
  const auto is_one_word = [](std::string_view text) { return text::words(text).size() == 1; };
  const bool hash_is_good =
      is_password_hash(credentials.password_hash) && is_one_word(credentials.password_hash);
  const bool keys_are_good =
      credentials.scram_keys.empty() ||
      (credentials.scram_keys.starts_with(scram_prefix) && is_one_word(credentials.scram_keys));
  if (!hash_is_good) return fail(Code::invalid, "not a password hash");
  if (!keys_are_good) return fail(Code::invalid, "not SCRAM-SHA-256 keys");
  return {};
}

std::string credential_words(const Credentials& credentials) {
  std::string words = " " + credentials.password_hash;
  if (!credentials.scram_keys.empty()) words += " " + credentials.scram_keys;
  return words;
}

// A user's line in its pieces, which joined give the line again.
struct UserLine {
  std::string_view name;                // with its colon
  std::vector<std::string_view> words;  // each with the blanks before it
  std::string_view rest;                // blanks, a comment, the line's end

  explicit UserLine(std::string_view line) : name(line.substr(0, line.find(':') + 1)) {
    rest = line.substr(name.size());
    for (;;) {
      const std::size_t begin = rest.find_first_not_of(blanks);
      if (begin == rest.npos || rest[begin] == '#') return;
      const std::size_t end = std::min(rest.find_first_of(blanks, begin), rest.size());
      words.push_back(rest.substr(0, end));
      rest.remove_prefix(end);
    }
  }
  static constexpr std::string_view blanks = " \t\r\n";
  std::string text() const { return fmt::format("{}{}{}", name, fmt::join(words, ""), rest); }
};

// The text with one user's line as `edit` gives it; everything else stays.
using LineEdit = std::function<Result<std::string>(std::string_view line)>;
Result<std::string> edit_line(std::string_view text, std::string_view name, const LineEdit& edit) {
  const std::string folded = text::case_fold(name);
  std::string changed;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (!is_named(line, folded)) {
      changed += line;
      continue;
    }
    TAPAL_TRY(const auto edited, edit(line));
    changed += edited;
    changed += text;
    return changed;
  }
  return fail(Code::not_found, fmt::format("there is no user {}", text::printable(name, 80)));
}

}  // namespace

UsersFile read_users(std::string_view text, std::string_view domain, std::string_view file_name) {
  return Reader(domain, file_name).read(text);
}

Result<std::vector<UserRecord>> parse_users(std::string_view text,
                                            std::string_view domain,
                                            std::string_view file_name) {
  UsersFile file = read_users(text, domain, file_name);
  if (!file.problems.empty())
    return fail(Code::invalid, fmt::format("{}", fmt::join(file.problems, "\n")));
  return std::move(file.users);
}

Result<std::string> add_user(std::string_view text,
                             std::string_view name,
                             const Credentials& credentials) {
  const NewUser user{std::string(name), credentials};
  return add_users(text, std::span(&user, 1));
}

Result<std::string> add_users(std::string_view text, std::span<const NewUser> users) {
  std::unordered_set<std::string> taken;
  for (std::string_view rest = text; !rest.empty();) {
    if (const auto name = name_of(take_line(rest))) taken.insert(text::case_fold(*name));
  }
  std::string changed(text);
  if (!changed.empty() && !changed.ends_with('\n')) changed += '\n';
  for (const auto& [name, credentials] : users) {
    if (auto wrong = user_name_problem(name); !wrong.empty())
      return fail(Code::invalid, std::move(wrong));
    TAPAL_CHECK(check_credentials(credentials));
    if (!taken.insert(text::case_fold(name)).second)
      return fail(Code::invalid, fmt::format("there is a user {} already", name));
    changed += fmt::format("{}:{}\n", name, credential_words(credentials));
  }
  return changed;
}

Result<std::string> remove_user(std::string_view text, std::string_view name) {
  return edit_line(text, name, [](std::string_view) { return std::string(); });
}

Result<std::string> set_password(std::string_view text,
                                 std::string_view name,
                                 const Credentials& credentials) {
  TAPAL_CHECK(check_credentials(credentials));
  return edit_line(text, name, [&](std::string_view line) {
    UserLine parts(line);
    std::erase_if(parts.words, [](std::string_view word) {
      word = text::trim(word);
      return is_password_hash(word) || word.starts_with(scram_prefix);
    });
    const std::string words = credential_words(credentials);
    parts.words.insert(parts.words.begin(), words);
    return parts.text();
  });
}

Result<std::string> replace_password(std::string_view text,
                                     std::string_view name,
                                     std::string_view old_hash,
                                     const Credentials& credentials) {
  const auto check_line = [&](std::string_view line) -> Result<std::string> {
    const UserLine parts(line);
    const bool is_there = std::ranges::any_of(
        parts.words, [&](std::string_view word) { return text::trim(word) == old_hash; });
    if (!is_there) return fail(Code::not_found, "the password was changed meanwhile");
    return std::string(line);
  };
  TAPAL_CHECK(edit_line(text, name, check_line));
  return set_password(text, name, credentials);
}

Result<std::string> add_app_password(std::string_view text,
                                     std::string_view name,
                                     const AppPassword& password) {
  if (auto wrong = app_password_name_problem(password.name); !wrong.empty())
    return fail(Code::invalid, std::move(wrong));
  return edit_line(text, name, [&](std::string_view line) -> Result<std::string> {
    UserLine parts(line);
    std::size_t count = 0;
    for (const std::string_view word : parts.words) {
      const auto other = AppPassword::from_text(text::trim(word));
      if (!other) continue;
      ++count;
      if (other->name == password.name)
        return fail(Code::invalid,
                    fmt::format("there is an application password {} already; delete it first, or "
                                "take another name",
                                password.name));
    }
    if (count >= app_passwords_per_user_max)
      return fail(Code::invalid,
                  fmt::format("{} application passwords are as many as a user may have; delete one",
                              app_passwords_per_user_max));
    const std::string word = " " + password.text();
    parts.words.push_back(word);
    return parts.text();
  });
}

Result<std::string> remove_app_password(std::string_view text,
                                        std::string_view name,
                                        std::string_view password_name) {
  return edit_line(text, name, [&](std::string_view line) -> Result<std::string> {
    UserLine parts(line);
    const std::string begin = fmt::format("{}{},", app_password_prefix, password_name);
    const auto removed = std::erase_if(
        parts.words, [&](std::string_view word) { return text::trim(word).starts_with(begin); });
    if (removed == 0)
      return fail(Code::not_found,
                  fmt::format("{} has no application password {}",
                              text::printable(name, 80),
                              text::printable(password_name, 80)));
    return parts.text();
  });
}

}  // namespace tapal::account
