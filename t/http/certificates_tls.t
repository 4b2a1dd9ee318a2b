use v5.36;
use utf8;
use warnings FATAL => 'all';

# Client certificates at the handshake, good and bad: each fault has a code of its own in our words, whatever the
# protocol, and none gives more rights than no certificate.

use Caportal::Files qw(command folder);
use Caportal::Test;
use Caportal::Test::Curl qw(curl);
use Caportal::Test::Edge qw(settled);
use IO::Socket::SSL::Utils
    qw(CERT_create CERT_free KEY_create_ec KEY_create_rsa PEM_cert2file PEM_file2cert PEM_file2key PEM_key2file);
use Test::More;

use constant DAY => 86400;

my $portal = Caportal::Test->start;
my $ca     = $portal->stack->{authority};
my $folder = folder($portal->home . '/certificates', 0700);
my $base   = $portal->addresses->{certificate};

# cert and key of an end-entity certificate that an authority signs.
sub leaf ($name, $issuer, %more) {
    my $rsa = delete $more{rsa};
    my $key = $rsa ? KEY_create_rsa(2048) : KEY_create_ec('prime256v1');
    my ($issuer_cert, $issuer_key) = (PEM_file2cert("$issuer.pem"), PEM_file2key("$issuer.key"));
    my ($cert) = CERT_create(
        key => $key, issuer => [$issuer_cert, $issuer_key], purpose => 'digitalSignature,clientAuth',
        subject => {commonName => $name}, not_before => time - DAY, not_after => time + DAY, %more,
    );
    PEM_cert2file($cert, "$folder/$name.pem");
    PEM_key2file($key, "$folder/$name.key");
    CERT_free($_) for $cert, $issuer_cert;
    return (cert => "$folder/$name.pem", key => "$folder/$name.key");
}

# A self-signed authority that nobody here trusts.
sub stranger ($name, $subject) {
    command(
        qw(openssl req -x509 -utf8 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -config /dev/null -days 30),
        '-subj', $subject, '-addext', 'basicConstraints=critical,CA:TRUE',
        '-addext', 'keyUsage=critical,keyCertSign,cRLSign', '-keyout', "$folder/$name.key", '-out', "$folder/$name.pem"
    );
    return "$folder/$name";
}

sub issued (@algorithm) {
    my $journey = $portal->order_until('issued', algorithm => [@algorithm]);
    $journey->step('download');
    return ($journey, cert => $journey->{certificate}, key => "$journey->{folder}/holder.key");
}

my %issuing = (cert => $ca->file('issuing.pem'), key => $ca->file('issuing.key'));
my ($issuer, $staff_ca) = map { $ca->file($_) } qw(issuing staff-ca);
my ($reviewer) = grep { $_->{role} eq 'reviewer' } @{ $portal->addresses->{staff} };
my ($p256, @p256) = issued();
my ($rsa, @rsa) = issued('rsa:2048');
my ($revoked, @revoked) = issued();
my $serial = $revoked->{serial};

is $portal->staff('reviewer')->post("/staff/api/certificates/$serial/revoke", {reason => 'key_compromise'},
    key => 'revoke-for-certificates-tls')->code, 200, 'one certificate is revoked';

my $foreign   = stranger('foreign', '/C=CN/CN=Elsewhere');
my $same_name = stranger('same-name', '/C=CN/O=内蒙古CA/CN=内蒙古CA 签发（开发）');

# name, certificate, answer to a sign-in, answer of the staff API
my @cases = (
    ['none',                              [],                                   'certificate_missing'],
    ['good, P-256',                       [@p256],                              201, 'certificate_unbound'],
    ['good, RSA',                         [@rsa],                               201, 'certificate_unbound'],
    ['a member of staff',                 [map { $_ => $reviewer->{$_} } qw(cert key)], 201, 200],
    ['revoked',                           [@revoked],                           'certificate_revoked',
        'certificate_unbound'],
    ['ours, of nobody',                   [leaf('unbound', $issuer)],           'certificate_unbound'],
    ['ours, of nobody, RSA',              [leaf('unbound-rsa', $issuer, rsa => 1)], 'certificate_unbound'],
    ['expired',                           [leaf('expired', $issuer, not_before => time - 2 * DAY,
        not_after => time - DAY)],                                              'certificate_expired'],
    ['expired, RSA',                      [leaf('expired-rsa', $issuer, rsa => 1, not_before => time - 2 * DAY,
        not_after => time - 1)],                                                'certificate_expired'],
    ['of a member of staff, expired',     [leaf('expired-staff', $staff_ca, not_before => time - 2 * DAY,
        not_after => time - DAY)],                                              'certificate_expired'],
    ['not yet valid',                     [leaf('future', $issuer, not_before => time + DAY,
        not_after => time + 2 * DAY)],                                          'certificate_not_yet_valid'],
    ['of a foreign authority',            [leaf('stranger', $foreign)],         'certificate_untrusted'],
    ['of an authority that took our name', [leaf('impostor', $same_name)],      'certificate_forged'],
    ['a foreign authority itself',        [cert => "$foreign.pem", key => "$foreign.key"], 'certificate_self_signed'],
    ['our authority itself',              [%issuing],                           'certificate_is_ca'],
    ['for servers only',                  [leaf('server', $issuer, purpose => 'digitalSignature,serverAuth')],
        'certificate_purpose'],
    ['without extended key usage',        [leaf('any', $issuer, purpose => 'digitalSignature')], undef],
);

sub ask ($path, %option) {
    return curl("$base$path", folder => $folder, ca => $portal->addresses->{server_ca},
        %option, headers => ['Origin: ' . ($option{origin} // $base), @{ $option{headers} // [] }]);
}

# "201", or the code of a problem in our form.
sub said ($answer) {
    my $problem = $answer->{json} // {};
    return $answer->{status} if $answer->{status} < 400;
    return "status $answer->{status} without a problem" if !$problem->{code}
        || ($answer->{headers}{'content-type'}[0] // '') !~ m{\Aapplication/problem\+json};
    return $answer->{status} == 401 ? $problem->{code} : "$answer->{status} $problem->{code}";
}

for my $case (@cases) {
    my ($name, $certificate, $sign_in, $staff) = @$case;
    next if !defined $sign_in;
    $staff //= $sign_in;

    subtest $name => sub {
        for my $http (qw(1.1 2)) {
            my %how = (@$certificate, http => $http);
            my $answer = ask('/api/sessions', %how, json => {method => 'certificate'});
            is said($answer), $sign_in, "HTTP/$http: sign-in";
            is $answer->{version}, $http, "HTTP/$http: spoken";
            my $cookie = grep {/__Host-caportal=[^;]/} @{ $answer->{headers}{'set-cookie'} // [] };
            is $cookie, $sign_in eq '201' && $name ne 'a member of staff' ? 1 : 0, "HTTP/$http: sessions";
            is said(ask('/staff/api/session', %how)), $staff, "HTTP/$http: the staff's desk";
            is said(ask('/api/session', %how)), 'unauthenticated', "HTTP/$http: nobody without a session";
        }
    };
}

subtest 'a certificate without extended key usage' => sub {
    my ($case) = grep { !defined $_->[2] } @cases;
    my $answer = ask('/api/sessions', @{ $case->[1] }, json => {method => 'certificate'});
    like said($answer), qr/\Acertificate_(?:purpose|unbound)\z/, 'is refused';
};

# What stands behind a refused certificate is the same API: methods, bodies and limits as ever, and no more of it.
my @expired = @{ (grep { $_->[0] eq 'expired' } @cases)[0][1] };
my $owner   = $p256->applicant->cookie;

for my $http (qw(1.1 2)) {
    my @how = (@expired, http => $http);
    my @none = (http => $http);

    subtest "HTTP/$http: with an expired certificate as without one" => sub {
        for my $request (
            ['an unknown path',    '/api/nothing',  {},                                                   404],
            ['no path of the API', '/',             {},                                                   404],
            ['the catalogue',      '/api/catalog',  {},                                                   200],
            ['a wrong method',     '/api/sessions', {method => 'PUT', body => ''},                        405],
            ['a wrong word',       '/api/sessions', {json => {method => 'x' x 900}},                      422],
            ['no JSON',            '/api/sessions', {body => '{', headers => ['Content-Type: application/json']}, 400],
            ['a body too long',    '/api/sessions', {json => {method => 'x' x 40000}},                    413],
            ['in chunks',          '/api/sessions', {json => {method => 'x'},
                headers => $http eq '2' ? [] : ['Transfer-Encoding: chunked']},                           422],
            ['a session',          '/api/session',  {headers => ["Cookie: __Host-caportal=$owner"]},      200],
            ['a foreign origin',   '/api/sessions', {json => {method => 'certificate'},
                origin => 'https://elsewhere.example'},                                        403],
        ) {
            my ($what, $path, $option, $status) = @$request;
            my ($with, $without) = map { ask($path, %$option, @$_) } \@how, \@none;
            is $with->{status}, $status, "$what: $status";
            next if $path eq '/';
            is $without->{status}, $status, "$what: as without a certificate";
        }
    };
}

is $portal->value("SELECT COUNT(*) FROM audit WHERE action = 'session.create' AND detail LIKE '%certificate%'"), 4,
    'as many sign-ins by certificate were recorded as succeeded';
cmp_ok $portal->value("SELECT COUNT(*) FROM audit WHERE action = 'session.refuse' AND detail LIKE '%certificate%'"),
    '>=', 2 * 12, 'and each refusal';

settled($portal);
done_testing;
