#include "rules/account/users_file.h"

#include <random>

#include <gtest/gtest.h>

namespace tapal::account {
namespace {

constexpr std::string_view hash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA";
constexpr std::string_view new_hash = "$argon2id$v=19$m=19456,t=2,p=1$bmV3c2FsdA$bmV3";

std::string keys(std::string_view password) {
  return crypto::derive_scram_keys(password, "0123456789abcdef").text();
}

std::string with_hash(std::string_view pattern) {
  std::string text(pattern);
  for (std::size_t at = text.find("HASH"); at != text.npos; at = text.find("HASH"))
    text.replace(at, 4, hash);
  return text;
}

TEST(UsersFile, reads_names_hashes_keys_and_grants_among_comments) {
  const std::string text = "# people\n\nalice: " + std::string(hash) + " " + keys("secret") +
                           " may-send-as=info@example.com,*@Example.ORG # boss\n" +
                           "  Bob.Smith :\t" + std::string(hash) + "\r\n";
  const auto users = parse_users(text, "example.com", "users");
  ASSERT_TRUE(users) << users.error().what;
  ASSERT_EQ(users->size(), 2u);
  const UserRecord& alice = users->at(0);
  EXPECT_EQ(alice.address.text(), "alice@example.com");
  EXPECT_EQ(alice.password_hash, hash);
  ASSERT_TRUE(alice.scram);
  EXPECT_EQ(alice.scram->text(), keys("secret"));
  ASSERT_EQ(alice.grants.size(), 2u);
  EXPECT_EQ(alice.grants[0].address->text(), "info@example.com");
  EXPECT_FALSE(alice.grants[1].address);
  EXPECT_EQ(alice.grants[1].domain, "example.org");
  EXPECT_EQ(users->at(1).address.text(), "Bob.Smith@example.com");
  EXPECT_FALSE(users->at(1).scram);
}

TEST(UsersFile, names_file_and_line_of_each_problem_and_keeps_the_good_lines) {
  const auto file = read_users(
      with_hash("alice: HASH\nbob HASH\ncarol: HASH\nalice: HASH\n"), "example.com", "d/users");
  EXPECT_EQ(file.users.size(), 2u);
  ASSERT_EQ(file.problems.size(), 2u);
  EXPECT_EQ(file.problems[0], "d/users:2: no colon; a line is \"name: password-hash\"");
  EXPECT_EQ(file.problems[1], "d/users:4: alice is here a second time; first on line 1");
}

struct BadLine {
  std::string_view name;
  std::string_view line;
  std::string_view told;
};

TEST(UsersFile, refuses_what_is_not_a_user) {
  const BadLine cases[] = {
      {"no password", "alice:", "alice has no password hash; set one with: tapal user passwd"},
      {"empty name", ": HASH", "the name is empty"},
      {"suffix", "alice+x: HASH", "\"+\" sets a suffix off"},
      {"path", "../alice: HASH", "dots may stand only between"},
      {"slash", "a/b: HASH", "a name cannot contain \"/\""},
      {"whole address", "alice@example.com: HASH", "a name cannot contain \"@\""},
      {"space", "a b: HASH", "a name has no spaces"},
      {"broken UTF-8", "\xC3: HASH", "the name is not UTF-8"},
      {"clear password", "alice: hunter2", "alice, word 1 after the colon: expected $argon2id$"},
      {"other hash", "alice: $1$abc$def", "word 1 after the colon: expected $argon2id$"},
      {"cut hash", "alice: $2b$10$abc", "word 1 after the colon: the password hash is no whole"},
      {"two hashes", "alice: HASH HASH", "word 2 after the colon: a second password hash"},
      {"bad keys", "alice: HASH SCRAM-SHA-256$x", "alice, word 2 after the colon:"},
      {"bad grant", "alice: HASH may-send-as=nobody", "\"nobody\" is neither an address nor"},
      {"empty grant", "alice: HASH may-send-as=a@example.com,", "\"\" is neither an address nor"},
      {"case alone differs", "alice: HASH\nAlice: HASH", "Alice is here a second time"},
  };
  for (const auto& [name, line, told] : cases) {
    SCOPED_TRACE(name);
    const auto users = parse_users(with_hash(line), "example.com", "users");
    ASSERT_FALSE(users);
    EXPECT_EQ(users.error().code, Code::invalid);
    EXPECT_NE(users.error().what.find(told), std::string::npos) << users.error().what;
    EXPECT_EQ(users.error().what.find("hunter2"), std::string::npos);
  }
}

TEST(UsersFile, refuses_lines_grants_and_problems_without_end) {
  const std::string long_line = "alice: " + std::string(user_line_bytes_max, 'x');
  EXPECT_EQ(read_users(long_line, "example.com", "u").problems.size(), 1u);
  std::string grants = with_hash("alice: HASH may-send-as=a@example.com");
  for (std::size_t i = 0; i < grants_per_user_max; ++i) grants += ",a@b.example";
  const auto file = read_users(grants, "example.com", "u");
  ASSERT_EQ(file.problems.size(), 1u);
  EXPECT_NE(file.problems[0].find("more than 1000 addresses"), std::string::npos);
  std::string nonsense;
  for (int i = 0; i < 5000; ++i) nonsense += "x\n";
  EXPECT_LE(read_users(nonsense, "example.com", "u").problems.size(), 100u);
}

TEST(UsersFile, adds_at_the_end_and_keeps_everything_else) {
  const Credentials credentials{std::string(new_hash), keys("p")};
  const auto first = add_user("", "alice", credentials);
  ASSERT_TRUE(first);
  EXPECT_EQ(*first, "alice: " + std::string(new_hash) + " " + keys("p") + "\n");
  const std::string odd = "# head\r\nnot a user\n  bob :  x  # kept";
  const auto second = add_user(odd, "carol", {std::string(new_hash), ""});
  ASSERT_TRUE(second);
  EXPECT_EQ(*second, odd + "\ncarol: " + std::string(new_hash) + "\n");
  EXPECT_EQ(add_user(odd, "BOB", credentials).error().code, Code::invalid);
  EXPECT_EQ(add_user(odd, "a b", credentials).error().code, Code::invalid);
  EXPECT_EQ(add_user(odd, "dora", {"clear", ""}).error().code, Code::invalid);
  EXPECT_EQ(add_user(odd, "dora", {std::string(new_hash) + "\nx: y", ""}).error().code,
            Code::invalid);
}

TEST(UsersFile, removes_one_line_and_no_more) {
  const std::string text = "# a\nalice: 1\n\n# b\r\nbob: 2\r\ncarol: 3";
  EXPECT_EQ(*remove_user(text, "bob"), "# a\nalice: 1\n\n# b\r\ncarol: 3");
  EXPECT_EQ(*remove_user(text, "Carol"), "# a\nalice: 1\n\n# b\r\nbob: 2\r\n");
  EXPECT_EQ(remove_user(text, "dora").error().code, Code::not_found);
}

TEST(UsersFile, changes_a_password_and_keeps_grants_comments_and_line_ends) {
  const std::string text = with_hash(
      "# a\nalice:   HASH SCRAM-SHA-256$x  may-send-as=*@b.example"
      "  # boss, the $argon2id$ one\r\nbob: HASH\n");
  const auto changed = set_password(text, "alice", {std::string(new_hash), keys("q")});
  ASSERT_TRUE(changed);
  EXPECT_EQ(*changed,
            "# a\nalice: " + std::string(new_hash) + " " + keys("q") +
                with_hash("  may-send-as=*@b.example  # boss, the $argon2id$ one\r\n"
                          "bob: HASH\n"));
  EXPECT_EQ(set_password(text, "dora", {std::string(new_hash), ""}).error().code, Code::not_found);
}

constexpr std::string_view app_typed = "abcde-fghjk-mnpqr-stvwx-yz012";

AppPassword app_password(std::string_view name) {
  using namespace std::chrono_literals;
  return {std::string(name), 2026y / 11 / 26, app_password_digest(app_typed).value()};
}

TEST(UsersFile, adds_and_takes_back_application_passwords_and_nothing_else_changes) {
  const std::string text =
      with_hash("# a\nalice:   HASH  may-send-as=*@b.example  # boss\r\nbob: HASH\n");
  const std::string gmail = " " + app_password("gmail").text();
  const std::string phone = " " + app_password("phone").text();
  const auto one = add_app_password(text, "Alice", app_password("gmail"));
  ASSERT_TRUE(one) << one.error().what;
  EXPECT_EQ(*one,
            with_hash("# a\nalice:   HASH  may-send-as=*@b.example") + gmail +
                with_hash("  # boss\r\nbob: HASH\n"));
  const auto two = add_app_password(*one, "alice", app_password("phone"));
  ASSERT_TRUE(two);
  const auto users = parse_users(*two, "example.com", "users");
  ASSERT_TRUE(users) << users.error().what;
  ASSERT_EQ(users->at(0).app_passwords.size(), 2U);
  EXPECT_EQ(users->at(0).app_passwords[1].name, "phone");
  EXPECT_TRUE(users->at(1).app_passwords.empty());
  EXPECT_TRUE(users->at(0).holds(app_password("gmail").text()));
  EXPECT_TRUE(users->at(0).holds(hash));
  EXPECT_FALSE(users->at(1).holds(app_password("gmail").text()));

  EXPECT_EQ(*remove_app_password(*two, "alice", "gmail"),
            with_hash("# a\nalice:   HASH  may-send-as=*@b.example") + phone +
                with_hash("  # boss\r\nbob: HASH\n"));
  EXPECT_EQ(*remove_app_password(*one, "alice", "gmail"), text);
  const auto reset = set_password(*two, "alice", {std::string(new_hash), ""});
  ASSERT_TRUE(reset);
  EXPECT_TRUE(reset->contains(gmail + phone)) << "a new password leaves them alone";

  EXPECT_EQ(add_app_password(*one, "alice", app_password("gmail")).error().code, Code::invalid);
  EXPECT_EQ(add_app_password(*one, "alice", app_password("a b")).error().code, Code::invalid);
  EXPECT_EQ(add_app_password(*one, "dora", app_password("x")).error().code, Code::not_found);
  EXPECT_EQ(remove_app_password(*one, "alice", "gmai").error().code, Code::not_found);
  EXPECT_EQ(remove_app_password(*one, "dora", "gmail").error().code, Code::not_found);
}

TEST(UsersFile, bounds_application_passwords) {
  std::string text = with_hash("alice: HASH\n");
  for (std::size_t i = 0; i < app_passwords_per_user_max; ++i) {
    const auto added = add_app_password(text, "alice", app_password("n" + std::to_string(i)));
    ASSERT_TRUE(added) << i;
    text = *added;
  }
  EXPECT_EQ(add_app_password(text, "alice", app_password("more")).error().code, Code::invalid);
  ASSERT_TRUE(parse_users(text, "example.com", "users"));
  text.insert(text.find('\n'), " " + app_password("more").text());
  EXPECT_FALSE(parse_users(text, "example.com", "users"));
  const std::string word = " " + app_password("x").text();
  EXPECT_FALSE(parse_users(with_hash("alice: HASH") + word + word, "example.com", "users"));
}

TEST(UsersFile, adding_then_removing_gives_the_same_bytes_whatever_the_file_held) {
  const Credentials changed{std::string(hash), keys("x")};
  for (unsigned seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    std::minstd_rand random(seed);
    std::string text;
    while (random() % 12 != 0) text += "ab:# \t\r\n$+"[random() % 10];
    text += '\n';
    const auto added = add_user(text, "zoe", {std::string(new_hash), ""});
    ASSERT_TRUE(added);
    const auto reset = set_password(*added, "zoe", changed);
    ASSERT_TRUE(reset);
    const auto with_app = add_app_password(*reset, "zoe", app_password("x"));
    ASSERT_TRUE(with_app);
    EXPECT_EQ(*remove_app_password(*with_app, "zoe", "x"), *reset);
    const auto removed = remove_user(*with_app, "zoe");
    ASSERT_TRUE(removed);
    EXPECT_EQ(*removed, text);
  }
}

constexpr std::string_view scrypt_hash =
    "$scrypt$ln=4,r=1,p=1$CgBzYWx0$PqyDp8NjFI1k4nDB9Zz9/DllKJ4w2UJvvaN/d5rHgQY";

TEST(UsersFile, takes_the_hashes_of_other_servers_and_tells_those_that_ask_too_much) {
  const auto file = read_users(
      fmt::format("ann: {} may-send-as=*@x.example\nbob: $2y$16${:.>53}\n", scrypt_hash, ""),
      "example.com",
      "users");
  ASSERT_EQ(file.users.size(), 1U);
  EXPECT_EQ(file.users[0].password_hash, scrypt_hash);
  ASSERT_EQ(file.problems.size(), 1U);
  EXPECT_EQ(file.problems[0],
            "users:2: bob, word 1 after the colon: the password hash asks for more than 2^15 "
            "rounds");
}

TEST(UsersFile, replaces_a_password_only_while_it_is_the_one_that_was_read) {
  const auto before = fmt::format("# kept\nann: {} may-send-as=*@x.example # too\n", scrypt_hash);
  const Credentials ours{"$argon2id$new", "SCRAM-SHA-256$keys"};
  const auto after = replace_password(before, "Ann", scrypt_hash, ours);
  ASSERT_TRUE(after);
  EXPECT_EQ(*after,
            "# kept\nann: $argon2id$new SCRAM-SHA-256$keys may-send-as=*@x.example # too\n");
  for (const auto& late : {replace_password(*after, "ann", scrypt_hash, ours),
                           replace_password(before, "bob", scrypt_hash, ours)}) {
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, Code::not_found);
  }
}

TEST(UsersFile, adds_many_users_or_none) {
  const std::vector<NewUser> new_users{{"ann", {"$argon2id$a", ""}}, {"bob", {"$2b$10$b", ""}}};
  const auto added = add_users("eve: $argon2id$e", new_users);
  ASSERT_TRUE(added);
  EXPECT_EQ(*added, "eve: $argon2id$e\nann: $argon2id$a\nbob: $2b$10$b\n");
  EXPECT_FALSE(add_users("BOB: $argon2id$e\n", new_users));
  EXPECT_EQ(add_users("x", {}), "x\n");
}

}  // namespace
}  // namespace tapal::account
