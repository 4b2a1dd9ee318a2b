use v5.36;
use warnings FATAL => 'all';

# Revocation over the staff's API: the CRL names the certificate soon after, and nobody signs in with it.

use Caportal::Files qw(random_text write_file);
use Caportal::Test;
use Test::More;
use Time::HiRes qw(sleep time);

my $portal  = Caportal::Test->start;
my $journey = $portal->order_until('issued');
$journey->step($_) for qw(download verify certificate);

my $serial  = $journey->{serial};
my $path    = "/staff/api/certificates/$serial/revoke";
my $issuer  = $portal->value('SELECT issuer FROM certificate WHERE serial = ?', $serial);
my $browser = $portal->client;

sub code_of ($response) { return $response->json->{code} }

# The newest list as OpenSSL shows it, verified by the issuer.
sub crl () {
    my $response = $browser->get("/crl/$issuer.crl");
    is $response->code, 200, 'the list is there' or return '';
    my $file = write_file($portal->home . '/newest.crl', $response->body);
    return scalar qx(openssl crl -inform DER -in $file -noout -text -CAfile $portal->{addresses}{ca} 2>&1);
}

my $before = crl();
like $before, qr/verify OK/, "the list is its issuer's";
unlike $before, qr/\Q$serial\E/i, 'and does not name the certificate';

my @refusals = (
    ['an applicant',        404, $journey->applicant, $path, {reason => 'key_compromise'}],
    ['finance',             403, $portal->staff('finance'), $path, {reason => 'key_compromise'}],
    ['no reason',           422, $portal->staff('reviewer'), $path, {}],
    ['no such reason',      422, $portal->staff('reviewer'), $path, {reason => 'boredom'}],
    ['no such certificate', 404, $portal->staff('reviewer'), '/staff/api/certificates/0abc/revoke',
        {reason => 'key_compromise'}],
);
for my $case (@refusals) {
    my ($title, $status, $client, $where, $body) = @$case;
    my $response = $client->post($where, $body);
    my @right    = $title eq 'an applicant' ? (401, 403, 404) : $status;
    ok scalar(grep { $response->code == $_ } @right), "$title: $status" or diag $client->describe($response);
}
is $portal->value('SELECT state FROM certificate WHERE serial = ?', $serial), 'valid', 'it is still valid';

my $key      = random_text(16);
my $begin    = time;
my $response = $portal->staff('reviewer')->post($path, {reason => 'key_compromise'}, key => $key);
is $response->code, 200, 'revoked' or diag $browser->describe($response);
is $response->json->{state}, 'revoked', 'it says so';

my $holder = $portal->client('certificate', cert => $journey->{certificate}, key => "$journey->{folder}/holder.key");
my $refused = $holder->post('/api/sessions', {method => 'certificate'});
is $refused->code, 401, 'no sign-in with it';
is code_of($refused), 'certificate_revoked', 'because it is revoked';

my $after = '';
while (time < $begin + 10 && $after !~ /\Q$serial\E/i) {
    sleep 0.1;
    my $file = write_file($portal->home . '/newest.crl', $browser->get("/crl/$issuer.crl")->body);
    $after = qx(openssl crl -inform DER -in $file -noout -text -CAfile $portal->{addresses}{ca} 2>&1);
}
like $after, qr/Serial Number: 0*\Q$serial\E\s/i, 'the list names it within 10 s';
like $after, qr/Key Compromise/, 'with the reason';
like $after, qr/verify OK/, "under its issuer's signature";
diag sprintf 'on the list after %.2f s', time - $begin if $ENV{TEST_VERBOSE};

my $crl = write_file($portal->home . '/newest.pem',
    scalar qx(openssl crl -inform DER -in ${\ $portal->home }/newest.crl));
my $said = qx(openssl verify -crl_check -CRLfile $crl -CAfile $portal->{addresses}{ca} $journey->{certificate} 2>&1);
like $said, qr/certificate revoked/, 'openssl refuses the certificate by it';

my $again = $portal->staff('reviewer')->post($path, {reason => 'key_compromise'}, key => random_text(16));
is $again->code, 409, 'revoked once is enough';
is code_of($again), 'conflict', 'which is told';
my $replayed = $portal->staff('reviewer')->post($path, {reason => 'key_compromise'}, key => $key);
is $replayed->code, 200, 'the same request again gets its answer again';

is $portal->value(q{SELECT COUNT(*) FROM audit WHERE action = 'certificate.revoke' AND object_id = ?}, $serial), 1,
    'one row in the trail';
ok $journey->applicant->get("/api/certificates/$serial?format=pem")->is_success, 'it can still be downloaded';

done_testing;
