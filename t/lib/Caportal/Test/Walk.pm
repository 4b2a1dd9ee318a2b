package Caportal::Test::Walk;

# What tests need that walk the table of operations: its rows, a call made of a row, and whether the data stayed as it
# was.

use v5.36;
use utf8;
use Caportal::Client;
use Caportal::Files qw(capture);
use Cwd qw(abs_path);
use Exporter 'import';
use File::Basename qw(dirname);
use IO::Socket::SSL::Utils;
use Mojo::IOLoop;
use Mojo::JSON qw(decode_json);
use Mojo::UserAgent;
use Test::More;

our @EXPORT_OK = qw(operations path_of state_of is_unchanged is_problem code_of certificate_by at_once);

my $root = abs_path(dirname(__FILE__) . '/../../../..');

# Everything that a call may change; the signer writes what is left out on its own.
my @tables = qw(account account_decision account_login certificate certificate_order idempotency inspection issuance
    material material_copy order_duty order_event payment person phone_change sms_code staff unit unit_appointment
    unit_invitation unit_member unit_request verification);

# The rows: id, method, path, callers (public, account or names of roles), body (none, json, raw, upload) …
sub operations () {
    my $build = $ENV{CAPORTAL_BUILD} // "$root/build";
    return decode_json(capture("$build/caportalctl", 'operations'))->{operations};
}

# The path with its {parameters} filled in from a hash; what the hash lacks stays.
sub path_of ($path, $values) {
    return $path =~ s/\{(\w+)\}/$values->{$1} \/\/ "{$1}"/ger;
}

# A checksum over every row that a call may change, and how many audit rows there are.
sub state_of ($portal) {
    my %state = map { $_->{name} => "$_->{total} rows, $_->{sum}" } @{ $portal->rows(_state_query($portal)) };
    $state{audit} = $portal->value("SELECT COUNT(*) FROM audit WHERE actor_kind <> 'system'");
    return \%state;
}

# CHECKSUM TABLE reads virtual columns that nobody computed: the sum of what is stored does not.
sub _state_query ($portal) {
    state $query = join ' UNION ALL ', map {
        my $columns = $portal->value('SELECT GROUP_CONCAT(CONCAT("QUOTE(", column_name, ")"))
            FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ? AND extra NOT LIKE "%VIRTUAL%"', $_);
        "SELECT '$_' AS name, COUNT(*) AS total, COALESCE(SUM(CRC32(CONCAT_WS(',', $columns))), 0) AS sum FROM $_"
    } @tables;
    return $query;
}

sub is_unchanged ($portal, $before, $title) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is_deeply state_of($portal), $before, $title;
}

# The problem's code; the status where there is none.
sub code_of ($response) {
    my $json = eval { decode_json($response->body) };
    return ref $json eq 'HASH' && $json->{code} ? $json->{code} : $response->code;
}

# Status and code of a refusal, and its bad fields (name => code) where they are given.
sub is_problem ($response, $status, $code, $title, $fields = undef) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my %bad = map { $_->{name} => $_->{code} } @{ (eval { decode_json($response->body) } // {})->{fields} // [] };
    my @want = ($status, $code, $fields ? $fields : ());
    my @got  = ($response->code, code_of($response), $fields ? \%bad : ());
    return is_deeply(\@got, \@want, $title) || diag Caportal::Client->describe($response);
}


# So many requests at once, each [client, method, path, options] on a connection of its own: their responses.
sub at_once (@requests) {
    my $loop = Mojo::IOLoop->singleton;
    my (@agents, @answers);
    my $left = @requests;

    for my $i (0 .. $#requests) {
        my ($client, $method, $path, %option) = @{ $requests[$i] };
        my $agent = $agents[$i] = Mojo::UserAgent->new(ca => $client->{ca}, request_timeout => 20,
            inactivity_timeout => 20);
        my $tx = $agent->build_tx($method => "$client->{base}$path",
            {Origin => $client->{base}, %{ $option{headers} // {} }}, json => $option{json});
        $agent->start($tx => sub ($, $tx) {
            $answers[$i] = $tx->res;
            $loop->stop if --$left == 0;
        });
    }
    $loop->start;
    return @answers;
}

# A new certificate below one of the authorities (staff-ca, issuing) or, without a name, signed by itself, as options of
# a client. More: usage (serverAuth …), from and until (seconds from now).
sub certificate_by ($portal, $issuer, %given) {
    state $number = 0;
    my $path = $portal->home . '/made-' . ++$number;
    my $ca   = $portal->stack->{authority};
    my @by   = $issuer ? map { $ca->file("$issuer.$_") } qw(pem key) : ();

    my ($certificate, $key) = CERT_create(
        subject    => {commonName => "made $number"},
        not_before => time + ($given{from} // -60),
        not_after  => time + ($given{until} // 86400),
        purpose    => $given{usage} // 'client',
        key        => KEY_create_ec(),
        @by ? (issuer => [PEM_file2cert($by[0]), PEM_file2key($by[1])]) : (),
    );
    PEM_cert2file($certificate, "$path.pem");
    PEM_key2file($key, "$path.key");
    return (cert => "$path.pem", key => "$path.key");
}

1;
