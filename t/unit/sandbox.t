#!/usr/bin/env perl

# The stand-in for outside parties (deploy/sandbox): what it lets pass and
# what it refuses, over HTTP against the application itself.

use v5.36;
use utf8;
use warnings FATAL => 'all';

use Digest::SHA qw(hmac_sha256_hex sha256_hex);
use FindBin qw($RealBin);
use lib "$RealBin/../../deploy/sandbox/lib";
use Mojo::File qw(path tempdir);
use Mojo::JSON qw(decode_json encode_json false true);
use Mojo::Util qw(encode steady_time url_escape);
use POSIX qw(strftime);
use Test::Mojo;
use Test::More;

use Sandbox::Acs3 qw(canonical_request signature);

my %SMS      = (id => 'sms-key', secret => 'sms-secret');
my %IDENTITY = (id => 'identity-key', secret => 'identity-secret');
my $KEYS     = tempdir;

path($KEYS, 'sms')->spurt("$SMS{secret}\n");
path($KEYS, 'identity')->spurt($IDENTITY{secret});
delete @ENV{qw(SANDBOX_HOME)};
$ENV{SANDBOX_SMS_KEY_ID}               = $SMS{id};
$ENV{SANDBOX_SMS_KEY_SECRET_FILE}      = "$KEYS/sms";
$ENV{SANDBOX_IDENTITY_KEY_ID}          = $IDENTITY{id};
$ENV{SANDBOX_IDENTITY_KEY_SECRET_FILE} = "$KEYS/identity";
$ENV{MOJO_LOG_LEVEL}                   = 'fatal';

my %PERSON  = (name => '测试人', id_number => '11010519491231002X', mobile => '13812345678');
my %COMPANY = (
  name            => '测试公司',
  uscc            => '91350200MA2YJ1XR9G',
  legal_name      => '测试人',
  legal_id_number => '11010519491231002X',
);

sub sandbox () { return Test::Mojo->new('Sandbox') }

# The client's side of ACS3, written apart from the server's so that one
# mistake cannot be made on both.
sub sms_request (%with) {
  my %query = (
    PhoneNumbers  => '13800000001',
    SignName      => '在线 受理+*~',
    TemplateCode  => 'SMS_1',
    TemplateParam => '{"code":"012345"}',
    %{delete $with{query} // {}}
  );
  my $body    = $with{body} // '';
  my $query   = join '&', map { _escape($_) . '=' . _escape($query{$_}) }
    grep { defined $query{$_} } sort keys %query;
  my %headers = (
    'Host'                  => $with{host} // 'dysmsapi.aliyuncs.com',
    'x-acs-action'          => $with{action} // 'SendSms',
    'x-acs-version'         => '2017-05-25',
    'x-acs-date'            => strftime('%Y-%m-%dT%H:%M:%SZ', gmtime($with{time} // time)),
    'x-acs-signature-nonce' => $with{nonce} // sha256_hex(rand . $$),
    'x-acs-content-sha256'  => $with{digest} // sha256_hex($body),
  );
  my @unsigned = @{$with{unsigned} // []};
  my %signed   = map { lc $_ => $headers{$_} } keys %headers;
  delete @signed{@unsigned};
  my $names     = join ';', sort keys %signed;
  my $method    = $with{method} // 'POST';
  my $canonical = join "\n", $method, '/', $query,
    (map {"$_:$signed{$_}"} sort keys %signed), '', $names, sha256_hex($body);
  my $signature
    = hmac_sha256_hex("ACS3-HMAC-SHA256\n" . sha256_hex($canonical), $with{secret} // $SMS{secret});
  $query =~ s/%20/+/g if $with{plus};
  $headers{Authorization} = 'ACS3-HMAC-SHA256 Credential=' . ($with{id} // $SMS{id})
    . ",SignedHeaders=$names,Signature=$signature";
  return {method => $method, query => $query, headers => \%headers, body => $body};
}

sub _escape ($text) { return url_escape(encode('UTF-8', $text), '^A-Za-z0-9\-._~') }

sub send_sms ($t, $request) {
  my $tx = $t->ua->build_tx($request->{method} => "/?$request->{query}", $request->{headers},
    $request->{body});
  return $t->request_ok($tx);
}

sub identity_headers ($body, %with) {
  my $time      = $with{time} // time;
  my $signature = hmac_sha256_hex("$time\n$body", $with{secret} // $IDENTITY{secret});
  my $key_id    = $with{id} // $IDENTITY{id};
  return {Authorization => "HMAC-SHA256 keyId=$key_id,timestamp=$time,signature=$signature"};
}

sub question (%with) {
  state $number = 0;
  return {
    requestId => 'r-' . ++$number,
    product   => 'MOBILE_3',
    consentId => 'c-1',
    subject   => {name => $PERSON{name}, idNo => $PERSON{id_number}, mobile => $PERSON{mobile}},
    %with
  };
}

sub ask ($t, $question, %with) {
  my $body = ref $question ? encode_json($question) : $question;
  return $t->post_ok('/identity/verify', identity_headers($body, %with), $body);
}

subtest 'ACS3 vectors' => sub {
  my @rows = (
    ['2023-10-26T10:22:32Z', '3156853299f313e23d1673dc12e1703d',
      '7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259',
      '06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0'],
    ['2023-10-26T09:01:01Z', 'd410180a5abf7fe235dd9b74aca91fc0',
      '29622f5feb1e9fcaaa2e276a72889c975f7b16f00e02be1ca34965b18cd85015',
      'e521358f7776c97df52e6b2891a8bc73026794a071b50c3323388c4e0df64804'],
  );
  for my $row (@rows) {
    my ($date, $nonce, $digest, $expected) = @$row;
    my %headers = (
      'host'                  => 'ecs.cn-shanghai.aliyuncs.com',
      'x-acs-action'          => 'RunInstances',
      'x-acs-content-sha256'  => sha256_hex(''),
      'x-acs-date'            => $date,
      'x-acs-signature-nonce' => $nonce,
      'x-acs-version'         => '2014-05-26',
    );
    # The order of the query and its escapes are the client's own affair.
    my $query     = 'RegionId=cn%2Dshanghai&ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd';
    my $canonical = canonical_request(
      {method => 'POST', path => '/', query => $query, headers => \%headers, body => ''},
      [reverse keys %headers]);
    is sha256_hex($canonical), $digest, "canonical request of $date";
    is signature('YourAccessKeySecret', $canonical), $expected, "signature of $date";
  }
};

subtest 'a message is sent and shown' => sub {
  my $t = sandbox;
  send_sms($t, sms_request())->status_is(200)->json_is('/Code' => 'OK')
    ->json_is('/Message' => 'OK')->json_like('/BizId' => qr/\A\d+\^0\z/)
    ->json_like('/RequestId' => qr/\A[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}\z/);
  send_sms($t, sms_request(method => 'GET', query => {PhoneNumbers => '+8613800000002'}))
    ->json_is('/Code' => 'OK');
  send_sms($t, sms_request(plus => 1, query => {TemplateParam => '{"code":"second","n":7}'}))
    ->json_is('/Code' => 'OK');
  send_sms($t, sms_request(host => 'sandbox.example', body => '{}'))->json_is('/Code' => 'OK');
  send_sms($t, sms_request(query => {PhoneNumbers => '13800000003,8613800000004'}))
    ->json_is('/Code' => 'OK');

  $t->get_ok('/inbox?phone=13800000001')->status_is(200)->json_is('/1/params' => {code => 'second', n => '7'})
    ->json_is('/2' =>
      {%{$t->tx->res->json->[2]}, phone => '13800000001', template => 'SMS_1', params => {code => '012345'}})
    ->json_like('/0/time' => qr/\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00\z/)->json_hasnt('/3');
  $t->get_ok('/inbox');
  is_deeply [map { $_->{phone} =~ s/\A1380000000//r } @{$t->tx->res->json}], [4, 3, 1, 1, 2, 1],
    'newest first';
  $t->get_ok('/inbox?phone=13899999999')->json_is([]);
};

subtest 'an altered request is refused' => sub {
  my $t    = sandbox;
  my @rows = (
    ['query', sub ($r) { $r->{query} =~ s/13800000001/13800000009/ }, 400, 'SignatureDoesNotMatch'],
    ['one more parameter', sub ($r) { $r->{query} .= '&OutId=1' }, 400, 'SignatureDoesNotMatch'],
    ['method', sub ($r) { $r->{method} = 'GET' }, 400, 'SignatureDoesNotMatch'],
    ['body', sub ($r) { $r->{body} = 'x' }, 400, 'SignatureDoesNotMatch'],
    ['body and its digest', sub ($r) {
      $r->{body} = 'x';
      $r->{headers}{'x-acs-content-sha256'} = sha256_hex('x');
    }, 400, 'SignatureDoesNotMatch'],
    ['host', sub ($r) { $r->{headers}{Host} = 'dysmsapi.aliyuncs.con' }, 400, 'SignatureDoesNotMatch'],
    ['date', sub ($r) { $r->{headers}{'x-acs-date'} =~ s/.Z\z/xZ/ }, 400, 'SignatureDoesNotMatch'],
    ['nonce', sub ($r) { $r->{headers}{'x-acs-signature-nonce'} .= '0' }, 400, 'SignatureDoesNotMatch'],
    ['action', sub ($r) { $r->{headers}{'x-acs-action'} = 'SendSmt' }, 400, 'SignatureDoesNotMatch'],
    ['version', sub ($r) { $r->{headers}{'x-acs-version'} = '2017-05-26' }, 400, 'SignatureDoesNotMatch'],
    ['signature', sub ($r) { $r->{headers}{Authorization} =~ s/(.)\z/$1 eq '0' ? '1' : '0'/e },
      400, 'SignatureDoesNotMatch'],
    ['half a signature', sub ($r) { $r->{headers}{Authorization} =~ s/.{32}\z// }, 400, 'IncompleteSignature'],
    ['no Authorization', sub ($r) { delete $r->{headers}{Authorization} }, 400, 'MissingParameter'],
    ['no nonce', sub ($r) { delete $r->{headers}{'x-acs-signature-nonce'} }, 400, 'MissingParameter'],
    ['no action', sub ($r) { delete $r->{headers}{'x-acs-action'} }, 400, 'MissingParameter'],
  );
  for my $row (@rows) {
    my ($what, $alter, $status, $code) = @$row;
    my $request = sms_request();
    $alter->($request);
    send_sms($t, $request)->status_is($status, $what)->json_is('/Code' => $code, $what)
      ->json_has('/RequestId')->json_has('/Message')->json_is('/HostId' => 'dysmsapi.aliyuncs.com');
  }
  $t->get_ok('/inbox')->json_is('', [], 'nothing was sent');
};

subtest 'a wrongly made request is refused' => sub {
  my $t    = sandbox;
  my @rows = (
    ['wrong secret',    {secret => 'other'},  400, 'SignatureDoesNotMatch'],
    ['unknown key',     {id => 'other'},      404, 'InvalidAccessKeyId.NotFound'],
    ['unknown action',  {action => 'SendSmt'}, 404, 'InvalidAction.NotFound'],
    ['unsigned host',   {unsigned => ['host']}, 400, 'IncompleteSignature'],
    ['unsigned nonce',  {unsigned => ['x-acs-signature-nonce']}, 400, 'IncompleteSignature'],
    ['another digest',  {digest => sha256_hex('x')}, 400, 'SignatureDoesNotMatch'],
    ['old',             {time => time - 910}, 400, 'InvalidTimeStamp.Expired'],
    ['from the future', {time => time + 910}, 400, 'InvalidTimeStamp.Expired'],
    ['no phone',        {query => {PhoneNumbers => undef}}, 400, 'MissingParameter'],
    ['no signer',       {query => {SignName => ''}}, 400, 'MissingParameter'],
    ['no template',     {query => {TemplateCode => undef}}, 400, 'MissingParameter'],
    ['bad phone',       {query => {PhoneNumbers => '1380000001'}}, 200, 'isv.MOBILE_NUMBER_ILLEGAL'],
    ['a bad phone of two', {query => {PhoneNumbers => '13800000001,1'}}, 200, 'isv.MOBILE_NUMBER_ILLEGAL'],
    ['bad JSON',        {query => {TemplateParam => '{code}'}}, 200, 'isv.INVALID_JSON_PARAM'],
    ['JSON of no object', {query => {TemplateParam => '[1]'}}, 200, 'isv.INVALID_JSON_PARAM'],
  );
  for my $row (@rows) {
    my ($what, $with, $status, $code) = @$row;
    send_sms($t, sms_request(%$with))->status_is($status, $what)->json_is('/Code' => $code, $what);
  }
  $t->get_ok('/inbox')->json_is('', [], 'nothing was sent');
};

subtest 'a nonce works once' => sub {
  my $t       = sandbox;
  my $request = sms_request(nonce => 'once');
  send_sms($t, sms_request(nonce => 'once', secret => 'other'))
    ->json_is('/Code' => 'SignatureDoesNotMatch', 'a stranger cannot use it up');
  send_sms($t, $request)->json_is('/Code' => 'OK');
  send_sms($t, $request)->status_is(400)->json_is('/Code' => 'SignatureNonceUsed');
  $t->get_ok('/inbox')->json_has('/0')->json_hasnt('/1');
};

subtest 'the inbox page' => sub {
  my $t = sandbox;
  $t->get_ok('/', {Accept => 'text/html'})->status_is(200)->content_type_like(qr{\Atext/html})
    ->content_like(qr/还没有短信/)->header_like('Content-Security-Policy' => qr/default-src 'none'/);
  my $evil = '<script>alert(1)</script>';
  send_sms($t, sms_request(query => {TemplateParam => encode_json({$evil => $evil}), TemplateCode => $evil}))
    ->json_is('/Code' => 'OK');
  $t->get_ok('/?phone=%22%3E%3Cb%3E')->content_unlike(qr/<b>/)->content_like(qr/还没有短信/);
  $t->get_ok('/')->content_unlike(qr/<script/)->text_is('li strong' => '13800000001')
    ->text_is(dd => $evil)->element_exists('meta[http-equiv=refresh]');
  $t->get_ok('/inbox.css')->status_is(200);
  $t->post_ok('/')->status_is(404)->json_has('/message');
  $t->get_ok('/elsewhere')->status_is(404)->json_has('/message');
};

subtest 'the inbox forgets the oldest' => sub {
  my $t     = sandbox;
  my $inbox = $t->app->inbox;
  $inbox->add('13800000001', 'SMS_1', {code => $_}) for 1 .. 10_003;
  $t->get_ok('/inbox')->json_is('/0/params/code' => 10_003)->json_is('/9999/params/code' => 4)
    ->json_hasnt('/10000');
};

subtest 'the registry' => sub {
  my $t = sandbox;
  $t->get_ok('/registry')->status_is(200)->json_has('/people/0/mobile')->json_has('/organizations/0/uscc');
  my $before = $t->tx->res->json;
  check_built_in($before);

  $t->post_ok('/registry', json => {people => [\%PERSON], organizations => [\%COMPANY]})->status_is(204);
  $t->post_ok('/registry', json => {people => [{%PERSON, id_number => lc $PERSON{id_number}, name => '改名'}]})
    ->status_is(204);
  $t->get_ok('/registry');
  my $after = $t->tx->res->json;
  is @{$after->{people}}, @{$before->{people}} + 1, 'the same number is the same person';
  is_deeply [grep { $_->{id_number} eq $PERSON{id_number} } @{$after->{people}}],
    [{%PERSON, name => '改名'}], 'the later name counts';
  is_deeply [grep { $_->{uscc} eq $COMPANY{uscc} } @{$after->{organizations}}], [\%COMPANY];

  $t->post_ok('/registry', json => {
    people        => [\%PERSON, {%PERSON, name => 5, id_number => '1'}, 'x'],
    organizations => [{}, {%COMPANY, uscc => '9135020OMA2YJ1XR9G'}],
    companies     => [],
  })->status_is(422);
  is_deeply [map { $_->{item} } @{$t->tx->res->json->{errors}}],
    [qw(companies organizations[0].name organizations[0].uscc organizations[0].legal_name),
    qw(organizations[0].legal_id_number organizations[1].uscc people[1].name people[1].id_number people[2])],
    'every bad item is named';
  $t->post_ok('/registry', json => {people => 1})->status_is(422);
  $t->post_ok('/registry', json => [])->status_is(422);
  $t->post_ok('/registry' => '{')->status_is(400);
  $t->get_ok('/registry')->json_is('', $after, 'and none was added');
};

# The built-in numbers have to pass the hall's own checks.
sub check_built_in ($registry) {
  for my $number (map { $_->{id_number} } @{$registry->{people}}) {
    my @weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2);
    my $sum     = 0;
    $sum += $weights[$_] * substr $number, $_, 1 for 0 .. 16;
    is substr($number, 17), substr('10X98765432', $sum % 11, 1), "check digit of $number";
  }
  for my $code (map { $_->{uscc} } @{$registry->{organizations}}) {
    my $alphabet = '0123456789ABCDEFGHJKLMNPQRTUWXY';
    my ($sum, $weight) = (0, 1);
    for my $i (0 .. 16) {
      $sum += $weight * index $alphabet, substr $code, $i, 1;
      $weight = $weight * 3 % 31;
    }
    is substr($code, 17), substr($alphabet, (31 - $sum % 31) % 31, 1), "check character of $code";
  }
  return;
}

subtest 'identity verdicts' => sub {
  my $t = sandbox;
  $t->post_ok('/registry', json => {people => [\%PERSON], organizations => [\%COMPANY]})->status_is(204);
  my %three = (name => $PERSON{name}, idNo => $PERSON{id_number}, mobile => $PERSON{mobile});
  my %two   = (name => $PERSON{name}, idNo => $PERSON{id_number});
  my %four  = (
    orgName   => $COMPANY{name},
    uscc      => $COMPANY{uscc},
    legalName => $COMPANY{legal_name},
    legalIdNo => $COMPANY{legal_id_number},
  );
  my @rows = (
    ['MOBILE_3', \%three, 'MATCH', []],
    ['MOBILE_3', {%three, idNo => lc $three{idNo}}, 'MATCH', []],
    ['MOBILE_3', {%three, mobile => '13812345679'}, 'MISMATCH', ['mobile']],
    ['MOBILE_3', {%three, name => '测试', mobile => '1'}, 'MISMATCH', ['mobile', 'name']],
    ['MOBILE_3', {%three, idNo => '110105194912310011'}, 'NO_RECORD', []],
    ['ID_2', \%two, 'MATCH', []],
    ['ID_2', {%two, name => '别人', mobile => ''}, 'MISMATCH', ['name']],
    ['ID_2', {%two, idNo => $COMPANY{uscc}}, 'NO_RECORD', []],
    ['ENT_4', \%four, 'MATCH', []],
    ['ENT_4', {%four, legalName => '别人'}, 'MISMATCH', ['legalName']],
    ['ENT_4', {%four, orgName => '别家', legalIdNo => '1'}, 'MISMATCH', ['legalIdNo', 'orgName']],
    ['ENT_4', {%four, uscc => '91110000802100433B'}, 'NO_RECORD', []],
  );
  for my $row (@rows) {
    my ($product, $subject, $verdict, $differing) = @$row;
    my $question = question(product => $product, subject => $subject);
    ask($t, $question)->status_is(200)->json_is('/verdict' => $verdict)
      ->json_is('/requestId' => $question->{requestId})->json_like('/vendorSerial' => qr/\ASB\w{24}\z/)
      ->json_is('/billed' => $verdict eq 'NO_RECORD' ? false : true)
      ->json_has('/vendorCode')->json_has('/message');
    my $flags = $t->tx->res->json->{fields};
    is_deeply [grep { $flags->{$_} eq 'MISMATCH' } sort keys %$flags], $differing, "$product: fields";
    is keys %$flags, $verdict eq 'NO_RECORD' ? 0 : keys %$subject, "$product: a flag for each"
      if !exists $subject->{mobile} || $product eq 'MOBILE_3';
  }
};

subtest 'identity answers once' => sub {
  my $t        = sandbox;
  my $question = question();
  ask($t, $question)->json_is('/verdict' => 'NO_RECORD');
  my $first = $t->tx->res->json;
  $t->post_ok('/registry', json => {people => [\%PERSON]})->status_is(204);
  ask($t, $question)->status_is(200)->json_is('', $first, 'the same answer, whatever is known now');
  ask($t, {%$question, consentId => 'c-2'})->status_is(409)->json_has('/message');
  ask($t, question())->json_is('/verdict' => 'MATCH');
};

subtest 'identity refuses' => sub {
  my $t    = sandbox;
  my $body = encode_json(question());
  my @strangers = (
    ['wrong secret', identity_headers($body, secret => 'other')],
    ['unknown key', identity_headers($body, id => 'other')],
    ['old', identity_headers($body, time => time - 310)],
    ['from the future', identity_headers($body, time => time + 310)],
    ['another body', identity_headers("$body ")],
    ['another time', {Authorization => identity_headers($body)->{Authorization} =~ s/timestamp=\K\d/2/r}],
    ['another scheme', {Authorization => 'Basic eDp5'}],
    ['nothing', {}],
  );
  for my $row (@strangers) {
    my ($what, $headers) = @$row;
    $t->post_ok('/identity/verify', $headers, $body)->status_is(401, $what)->json_has('/message');
  }

  my $good = question();
  my @bad  = (
    ['{', qr/not JSON/],
    ['[]', qr/JSON object/],
    [{%$good, extra => 1}, qr/extra is unknown/],
    [{%$good, requestId => 7}, qr/requestId must be text/],
    [{%$good, requestId => 'x' x 65}, qr/requestId may have/],
    [{%$good, consentId => ''}, qr/consentId is missing/],
    [{%$good, product => 'CARD_4'}, qr/product is unknown/],
    [{%$good, product => []}, qr/product must be text/],
    [{%$good, callback => 1}, qr/callback must be text/],
    [{%$good, subject => undef}, qr/subject must be an object/],
    [{%$good, subject => {}}, qr/subject\.idNo is missing; subject\.mobile is missing; subject\.name is missing/],
    [{%$good, subject => {%{$good->{subject}}, mobile => 13812345678}}, qr/subject\.mobile must be text/],
    [{%$good, subject => {%{$good->{subject}}, name => {}}}, qr/subject\.name must be text/],
    [{%$good, subject => {%{$good->{subject}}, id_number => '1'}}, qr/subject\.id_number is unknown/],
    [{%$good, subject => {%{$good->{subject}}, idType => 1}}, qr/subject\.idType must be text/],
    [{%$good, product => 'ENT_4'}, qr/subject\.legalIdNo is missing.*subject\.uscc is missing/],
  );
  for my $row (@bad) {
    my ($question, $message) = @$row;
    ask($t, $question)->status_is(400)->json_like('/message' => $message);
  }
};

subtest 'faults' => sub {
  my $t = sandbox;
  $t->post_ok('/faults', json => {sms => {status => 503, times => 2}, identity => {status => 500}})
    ->status_is(204);
  send_sms($t, sms_request())->status_is(503)->json_is('/Code' => 'ServiceUnavailable') for 1 .. 2;
  send_sms($t, sms_request())->status_is(200);
  ask($t, question())->status_is(500)->json_is('/code' => 'UNAVAILABLE');
  ask($t, question())->status_is(200);
  $t->get_ok('/inbox')->json_has('/0')->json_hasnt('/1', 'a failing answer sends nothing');

  $t->post_ok('/faults', json => {sms => {delay_ms => 100, times => 50}})->status_is(204);
  $t->get_ok('/faults')->json_is('/sms/times' => 50);
  $t->delete_ok('/faults')->status_is(204);
  $t->get_ok('/faults')->json_is({});

  my @bad = ([], {post => {}}, {sms => 1}, {sms => {}}, {sms => {status => 200}},
    {sms => {status => '503'}}, {sms => {delay_ms => -1}}, {sms => {delay_ms => 1.5}},
    {sms => {delay_ms => 1, times => 0}}, {sms => {delay_ms => 1, wait => 1}});
  for my $input (@bad) {
    $t->post_ok('/faults', json => $input)->status_is(422)->json_has('/errors/0/reason');
  }
  $t->post_ok('/faults' => 'x')->status_is(400);
  $t->get_ok('/faults')->json_is({});
};

subtest 'a late answer holds up nobody' => sub {
  my $t = sandbox;
  $t->post_ok('/faults', json => {sms => {delay_ms => 600_000}})->status_is(204);
  my $sent = sms_request();
  my $tx   = $t->ua->build_tx(POST => "/?$sent->{query}", $sent->{headers}, $sent->{body});
  $tx->req->url->scheme($t->ua->server->nb_url->scheme)->host_port($t->ua->server->nb_url->host_port)
    if !$tx->req->url->host;
  my ($answer, $seen);
  my $waiting = $t->ua->start_p($tx)->then(sub ($tx) { $answer = $tx->res->json });
  my $look;
  $look = sub {
    return $t->ua->get_p('/inbox')->then(
      sub ($tx) {
        $seen = @{ $tx->res->json };
        return $seen || Mojo::Promise->timer(0.02)->then($look);
      }
    );
  };
  $look->()->wait;
  is $seen,   1,     'another request is answered, and shows that the message was sent';
  is $answer, undef, 'before its late answer';
  $t->ua->delete_p('/faults')->then(sub { $waiting })->wait;
  is $answer->{Code}, 'OK', 'which is good, and comes when nothing is arranged any more';

  $t->post_ok('/faults', json => {sms => {delay_ms => 200}})->status_is(204);
  my $started = steady_time;
  send_sms($t, sms_request())->status_is(200);
  cmp_ok steady_time() - $started, '>=', 0.19, 'or after its time';
};

subtest 'a restart keeps what was there' => sub {
  local $ENV{SANDBOX_HOME} = path(tempdir, 'made', 'here');
  my $home = path($ENV{SANDBOX_HOME});
  my $t    = sandbox;
  send_sms($t, sms_request())->json_is('/Code' => 'OK');
  $t->post_ok('/registry', json => {people => [\%PERSON]})->status_is(204);
  my $question = question();
  ask($t, $question)->json_is('/verdict' => 'MATCH');
  my $answer = $t->tx->res->json;
  Mojo::Promise->timer(0.3)->wait;
  is_deeply [sort map { $_->basename } @{$home->list({hidden => 1})}],
    [qw(answers.json inbox.json registry.json)], 'written by itself, nothing left over';
  is((stat "$home/registry.json")[2] & 07777, 0600, 'for the owner alone');

  send_sms($t, sms_request())->json_is('/Code' => 'OK');
  $t->app->flush;
  my $again = sandbox;
  $again->get_ok('/inbox')->json_has('/1')->json_hasnt('/2');
  $again->get_ok('/registry')->json_is('/people/0' => \%PERSON);
  ask($again, $question)->json_is($answer);

  path($home, 'inbox.json')->spurt('[');
  ok !eval { sandbox; 1 }, 'a damaged file stops the start';
  like $@, qr/inbox\.json is damaged/, 'and is named';
};

subtest 'without keys it does not start' => sub {
  for my $name (grep {/\ASANDBOX_.*_KEY_/} sort keys %ENV) {
    local $ENV{$name} = '';
    ok !eval { sandbox; 1 }, "without $name";
    like $@, qr/$name must/, 'and says so';
  }
};

done_testing;
