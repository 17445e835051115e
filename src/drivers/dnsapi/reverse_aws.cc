// Names of Elastic IPs at Amazon EC2, API of 2016-11-15: a form in, XML out, signed by AWS
// Signature Version 4. The name must point to the address already. EC2 has no names for IPv6.
#include <fmt/format.h>
#include <pugixml.hpp>

#include "drivers/dnsapi/api_client.h"
#include "drivers/dnsapi/reverse_apis.h"
#include "values/crypto/request_signature.h"
#include "values/http/url.h"

namespace tapal::dnsapi {
namespace {

constexpr const char* ec2_api_version = "2016-11-15";
constexpr const char* form_type = "application/x-www-form-urlencoded";

std::optional<Refusal> reverse_aws_refusal(const http::Response& response) {
  if (response.status < 300) return std::nullopt;
  pugi::xml_document document;
  if (!document.load_buffer(response.body.data(), response.body.size())) return std::nullopt;
  const auto error = document.document_element().child("Errors").child("Error");
  const std::string_view code = error.child("Code").text().get();
  if (code.empty()) return std::nullopt;
  Refusal refusal{fmt::format("{}: {}", code, error.child("Message").text().get()), std::nullopt};
  if (code == "RequestLimitExceeded") refusal.code = Code::full;
  if (code == "InvalidAddress.NotFound") refusal.code = Code::not_found;
  return refusal;
}

Result<void> sign(HttpRequest& request,
                  const crypto::AccessKey& key,
                  const crypto::AwsScope& scope,
                  WallTime now) {
  TAPAL_TRY(const auto url, http::parse_url(request.url));
  crypto::SignableRequest form;
  form.method = request.method;
  form.headers = {{"host", url.authority()}, {"content-type", form_type}};
  form.body_digest = crypto::sha256(request.body);
  for (auto& [name, value] : crypto::sign_aws(std::move(form), key, scope, now))
    request.headers.push_back({name, value});
  return {};
}

class AwsReverse final : public ReverseNames {
 public:
  explicit AwsReverse(ApiClient api) : api_(std::move(api)) {}

  Task<Result<void>> set(Loop& loop, IpAddress address, std::string host) override {
    if (!address.is_v4())
      co_return api_.fail(
          Code::invalid,
          fmt::format("{}: EC2 has no names for IPv6 addresses: send by IPv4", address.text()));
    std::vector<crypto::NamedValue> which{{"Action", "DescribeAddresses"},
                                          {"PublicIp.1", address.text()}};
    TAPAL_CO_TRY(const auto found, co_await call(loop, std::move(which)));
    pugi::xml_document document;
    document.load_buffer(found.body.data(), found.body.size());
    const std::string id = document.document_element()
                               .child("addressesSet")
                               .child("item")
                               .child("allocationId")
                               .text()
                               .get();
    if (id.empty())
      co_return api_.fail(
          Code::not_found,
          fmt::format("{} is no Elastic IP of this account and region", address.text()));
    std::vector<crypto::NamedValue> change{
        {"Action", "ModifyAddressAttribute"}, {"AllocationId", id}, {"DomainName", host}};
    TAPAL_CO_CHECK(co_await call(loop, std::move(change)));
    co_return Result<void>();
  }

 private:
  // Both calls may well be sent twice.
  Task<Result<http::Response>> call(Loop& loop, std::vector<crypto::NamedValue> parameters) {
    parameters.emplace_back("Version", ec2_api_version);
    ApiCall call;
    call.method = "POST";
    call.target = "/";
    call.headers.push_back({"Content-Type", form_type});
    call.body = crypto::canonical_query(std::move(parameters));
    call.repeat = ApiCall::Repeat::harmless;
    return api_.send(loop, std::move(call));
  }

  ApiClient api_;
};

Result<std::unique_ptr<ReverseNames>> open_reverse_aws(const AccountOptions& options,
                                                       const World& world) {
  const crypto::AccessKey key{options.given("access_key_id"), options.given("secret_access_key")};
  const crypto::AwsScope scope{options.given("region"), "ec2"};
  ApiDialect dialect;
  dialect.provider = "Amazon EC2";
  dialect.base_url = options.url == aws_reverse().url
                         ? fmt::format("https://ec2.{}.amazonaws.com", scope.region)
                         : options.url;
  TAPAL_CHECK(http::parse_url(dialect.base_url));
  dialect.secrets = {key.secret};
  dialect.authorize = [key, scope, &clock = world.clock](HttpRequest& request) {
    return sign(request, key, scope, clock.wall_now());
  };
  dialect.refusal = reverse_aws_refusal;
  return std::make_unique<AwsReverse>(ApiClient(std::move(dialect), world.http, world.clock));
}

}  // namespace

ReverseApi aws_reverse() {
  using Kind = CredentialField::Kind;
  return {.name = "aws",
          .title = "Amazon EC2",
          .fields = {{"access_key_id", "of an IAM user", {"AWS_ACCESS_KEY_ID"}, Kind::plain},
                     {"secret_access_key", "of the same", {"AWS_SECRET_ACCESS_KEY"}},
                     {"region",
                      "the machine's, \"eu-central-1\"",
                      {"AWS_REGION", "AWS_DEFAULT_REGION"},
                      Kind::plain}},
          .scope = "ec2:DescribeAddresses and ec2:ModifyAddressAttribute",
          .token_url = "https://console.aws.amazon.com/iam/home#/users",
          .url = "https://ec2.amazonaws.com",
          .open = open_reverse_aws};
}

}  // namespace tapal::dnsapi
