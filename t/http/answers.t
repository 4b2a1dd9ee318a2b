use v5.36;
use utf8;
use warnings FATAL => 'all';

# Answers that no way of an order comes to, so that each operation's are held against html/openapi.yaml at least once:
# Caportal::Test does that with everything that comes back.

use Caportal::Files qw(random_text);
use Caportal::OpenApi;
use Caportal::Sample qw(new_image);
use Caportal::Test;
use Test::More;

my $portal = Caportal::Test->start;
my $api    = Caportal::OpenApi->shared;
my $draft  = $portal->order_until('draft');
my $client = $draft->applicant;
my $order  = '/api/orders/' . $draft->no;

$portal->prove($client);

sub answers ($response, $status, $title, $code = undef) {
    my $said = eval { $response->json } // {};
    is $response->code . ($code ? " $said->{code}" : ''), $status . ($code ? " $code" : ''), $title
        or diag(Caportal::Client->describe($response));
    return $said;
}

sub key () { return (key => random_text(16)) }

# What a JSON body can have wrong, at every operation that takes one.
my %value = (
    no     => $draft->no,
    id     => 'n2V0zqkP3m1sXyRbT8wLQA',
    serial => 'ab12',
);

sub caller_of ($operation) {
    my ($scheme) = grep {%$_} @{ $operation->{security} };
    return $client if !$scheme || !$scheme->{staff} || $operation->{path} !~ m{^/staff/};
    return $portal->staff($scheme->{staff}[0]);
}

for my $operation (grep { $_->{body} && $_->{body}{content}{'application/json'} } @{ $api->operations }) {
    my $path   = $operation->{path} =~ s/\{(\w+)\}/$value{$1} \/\/ 'nothing'/egr;
    my $caller = caller_of($operation);
    my $send   = sub ($body, $type = 'application/json') {
        return $caller->request($operation->{method}, $path, body => $body, type => $type);
    };

    subtest $operation->{id} => sub {
        answers($send->('{"a":'), 400, 'no JSON', 'malformed_body');
        answers($send->('[]'), 400, 'no object', 'malformed_body');
        answers($send->('{"a":1,"a":2}'), 400, 'a name twice', 'malformed_body');
        answers($send->('{}', 'text/plain'), 415, 'another type', 'unsupported_media_type');
        answers($send->(' ' x ($operation->{body}{'x-max-bytes'} + 1)), 413, 'a byte too many', 'too_large');

        my $said = answers($send->('{"nothing":1}'), 422, 'an unknown field', 'invalid_fields');
        my ($name) = map { $_->{name} } grep { $_->{code} eq 'unknown' } @{ $said->{fields} };
        is $name, 'nothing', 'which is named' if $operation->{id} !~ /createSession|proveSession/;
    };
}

subtest 'queries' => sub {
    my $auditor = $portal->staff('auditor');

    answers($client->get("/api/orders?$_"), 400, "orders?$_", 'bad_query')
        for qw(state=lost limit=0 limit=101 after=zz from=2026-02-30 nothing=1 limit=1&limit=2);
    answers($client->get('/api/certificates?limit=x'), 400, 'certificates', 'bad_query');
    answers($auditor->get("/staff/api/$_?limit=x"), 400, $_, 'bad_query') for qw(orders payments audit);
    answers($client->get('/api/orders?limit=1&state=draft&from=2020-01-01&to=2099-12-31'), 200, 'a good one');
};

subtest 'Idempotency-Key' => sub {
    my %new = (service => 'new', project => 'procurement', product => 'usbkey-1y', unit => $draft->{unit});
    my %key = key();

    answers($client->post('/api/orders', \%new, key => 'short'), 400, 'a short one', 'bad_idempotency_key');
    my $first = answers($client->post('/api/orders', \%new, %key), 201, 'a new one');
    my $again = answers($client->post('/api/orders', \%new, %key), 201, 'the same again');
    is_deeply $again, $first, 'answers the same';
    answers($client->post('/api/orders', {%new, product => 'x'}, %key), 409, 'with another body',
        'idempotency_key_reused');
    answers($client->delete("/api/orders/$first->{no}"), 200, 'cancelled');
};

subtest 'materials' => sub {
    my ($bytes, $type) = new_image();
    my $scan = "$order/materials/licence";

    answers($client->put($scan, $bytes, 'text/plain'), 415, 'another type', 'unsupported_media_type');
    answers($client->put($scan, 'x' x 100, $type), 415, 'other bytes than it says', 'unsupported_media_type');
    answers($client->put($scan, '', $type), 422, 'an empty file', 'invalid_fields');
    is answers($client->put($scan, substr($bytes, 0, -1), $type), 422, 'cut by a byte', 'bad_file')->{reason}, 'truncated',
        'which is said';
    answers($client->put($scan, $bytes . "\0" x (1 << 20), $type), 413, 'too large', 'too_large');
    answers($client->put("$order/materials/nothing", $bytes, $type), 404, 'an unknown kind', 'not_found');
    answers($client->put($scan, $bytes, $type), 201, 'a good one');
    answers($client->delete($scan), 204, 'removed');
    answers($client->get($scan), 404, 'and gone', 'not_found');
    answers($client->get('/api/templates/nmgca/authorization'), 200, 'a form');
    answers($client->get('/api/templates/nmgca/licence'), 404, 'no form', 'not_found');
};

subtest 'a request' => sub {
    answers($client->put("$order/csr", 'x', 'application/pkcs10'), 405, 'is not put', 'method_not_allowed');
    answers($client->post("$order/csr", undef, body => 'x', type => 'application/pkcs10'), 422, 'bytes', 'bad_csr');
    answers($client->post("$order/csr", undef, body => 'x', type => 'text/plain'), 415, 'another type',
        'unsupported_media_type');
    answers($client->post("$order/csr", undef, body => 'x' x 16385, type => 'application/pkcs10'), 413, 'too large',
        'too_large');
};

subtest 'editing' => sub {
    answers($client->patch($order, {version => 1}), 409, 'an old version', 'version_conflict');
    answers($client->patch($order, {invoice => {type => 'special'}, delivery => {method => 'mail'}}), 422,
        'what a choice asks for', 'invalid_fields');
    answers($client->post("$order/agreement", {version => '1', sha256 => 'x'}), 409, 'another agreement',
        'agreement_changed');
    answers($client->post("$order/submit", {}), 422, 'not complete', 'incomplete')
        if $client->delete("$order/materials/legal_seal")->code == 204;
};

subtest 'a payment refused' => sub {
    my $approved = $portal->order_until('approved');
    my $owner    = $approved->applicant;
    my $payments = '/api/orders/' . $approved->no . '/payments';
    my $finance  = $portal->staff('finance');

    answers($owner->post($payments, {method => 'wechat'}), 422, 'a way that is not sold', 'invalid_fields');
    my $first = answers($owner->post($payments, {method => 'transfer'}), 201, 'a payment');
    my $again = answers($owner->post($payments, {method => 'transfer'}), 200, 'the same one again');
    is $again->{id}, $first->{id}, 'by its id';

    answers($owner->put("$payments/$first->{id}/voucher", '', 'image/png'), 422, 'an empty voucher', 'invalid_fields');
    answers($owner->put("$payments/$first->{id}/voucher", '%PDF-1.7 and no more', 'application/pdf'), 422,
        'a voucher that is cut', 'bad_file');
    answers($finance->get("/staff/api/payments/$first->{id}/voucher"), 404, 'no voucher', 'not_found');
    answers($finance->post("/staff/api/payments/$first->{id}/refuse", {reason => '未查询到该笔款项'}), 200, 'refused');
    answers($owner->get("$payments/$first->{id}"), 200, 'shown');
    answers($owner->get('/api/orders/' . $approved->no . '/history'), 200, 'with its reason in the history');
};

subtest 'a parcel that arrived' => sub {
    my $shipped = $portal->order_until('shipped');
    my $owner   = $shipped->applicant;

    answers($owner->get("/api/certificates/$shipped->{serial}?format=$_"), 200, $_) for qw(pem der p7b);
    answers($owner->get("/api/certificates/$shipped->{serial}?format=doc"), 400, 'another format', 'bad_query');
    answers($owner->post('/api/orders/' . $shipped->no . '/complete', {}, key()), 200, 'received');
};

answers($client->request(HEAD => '/api/catalog'), 200, 'HEAD');
answers($client->get('/crl/nobody.crl'), 404, 'no such list', 'not_found');
answers($client->get('/api/issuers/nobody'), 404, 'no such issuer', 'not_found');

done_testing;
