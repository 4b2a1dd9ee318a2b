use v5.36;
use utf8;
use warnings FATAL => 'all';

# ASVS 7.3.1 and 7.3.2: sessions end when they are not used and, used or not, after a while; for staff after 15 minutes
# and 8 hours. The server's clock is a fake one that this test sets; it is also put forward and back. No session
# outlives its limits for that.

use Caportal::Files qw(write_file);
use Caportal::Test;
use Caportal::Test::Edge qw(sanitized settled);
use Caportal::Test::Leaf qw(leaf);
use Caportal::Test::Walk qw(is_problem);
use File::Temp qw(tempdir);
use Test::More;

use constant { MINUTE => 60, HOUR => 3600, DAY => 86_400 };

my ($library) = grep {-e} glob '/usr/lib/*/faketime/libfaketimeMT.so.1';
plan skip_all => 'faketime is not installed'                               if !$library;
plan skip_all => 'the sanitizers do not let another library stand first' if sanitized();

my $folder = tempdir(CLEANUP => 1);
my $file   = "$folder/clock";
my $moved  = 0;

# Seconds from the real time.
sub clock ($seconds) {
    $moved = $seconds;
    write_file($file, sprintf "%+d\n", $seconds);
    return;
}

sub later ($seconds) { clock($moved + $seconds); return }

clock(0);
my %environment = (
    LD_PRELOAD => $library, FAKETIME_TIMESTAMP_FILE => $file, FAKETIME_NO_CACHE => 1,
    FAKETIME_DONT_FAKE_MONOTONIC => 1,
);
my $portal = Caportal::Test->start(
    environment => \%environment,
    edit        => sub ($text) {
        $text =~ s/# (caportal_staff_session )/$1/;
        return join('', map {"env $_;\n"} grep { $_ ne 'LD_PRELOAD' } sort keys %environment) . $text;
    },
);

my $journey = ($portal->sign_in)[1];
is $journey->applicant->request(PUT => '/api/account/password', json => {password => 'Tie-mu-zhen 1206'})->code, 200,
    'an account with a password';

sub applicant () {
    my $client = $portal->client;
    my $answer = $client->post('/api/sessions', {method => 'password', login => $journey->{phone},
        password => 'Tie-mu-zhen 1206'});
    is $answer->code, 201, 'an applicant signs in' or diag $answer->body;
    return sub { $client->get('/api/session') };
}

# Valid since yesterday, so that the clock can be put back.
my $staff_ca = $portal->stack->{authority}->file('staff-ca.pem') =~ s/\.pem\z//r;
my %card     = leaf("$folder/card", issuer => $staff_ca);
$portal->ctl(qw(staff add --name clock --roles reviewer --certificate), $card{cert});

sub staff () {
    my $client = $portal->client('certificate', %card);
    is $client->post('/api/sessions', {method => 'certificate'})->code, 201, 'a member of staff signs in';
    return sub { $client->get('/staff/api/session') };
}

# who, idle, absolute; the limits of conf/nginx.conf
for my $case (['applicants', \&applicant, 30 * MINUTE, 12 * HOUR], ['staff', \&staff, 15 * MINUTE, 8 * HOUR]) {
    my ($who, $sign_in, $idle, $absolute) = @$case;

    subtest "ASVS 7.3.1: $who" => sub {
        clock(0);
        my $ask = $sign_in->();
        for (1 .. 3) {
            later($idle - MINUTE);
            is $ask->()->code, 200, 'used before its time is over';
        }
        later($idle + 2);
        is_problem($ask->(), 401, 'unauthenticated', 'and not used for ' . $idle / MINUTE . ' minutes');
        clock(0);
        is_problem($ask->(), 401, 'unauthenticated', 'it does not come back with the time');
    };

    subtest "ASVS 7.3.2: $who" => sub {
        clock(0);
        my $ask  = $sign_in->();
        my $step = $idle - MINUTE;
        my @codes;
        for (my $time = $step; $time < $absolute - MINUTE; $time += $step) {
            clock($time);
            push @codes, $ask->()->code;
        }
        is scalar(grep { $_ != 200 } @codes), 0, 'used all the time: ' . @codes . ' times';
        clock($absolute - MINUTE);
        is $ask->()->code, 200, 'to the last minute';
        clock($absolute + 2);
        is_problem($ask->(), 401, 'unauthenticated', 'it ends after ' . $absolute / HOUR . ' hours');
    };

    subtest "clock moved: $who" => sub {
        clock(0);
        my $ask = $sign_in->();
        clock(DAY);
        is_problem($ask->(), 401, 'unauthenticated', 'a day forwards: ended');

        clock(0);
        $ask = $sign_in->();
        clock(-2 * MINUTE);
        is $ask->()->code, 200, 'two minutes back, as clocks of nodes differ: goes on';
        clock(-10 * MINUTE);
        is_problem($ask->(), 401, 'unauthenticated', 'ten minutes back: ended');

        clock(DAY);
        $ask = $sign_in->();
        clock(0);
        is_problem($ask->(), 401, 'unauthenticated', 'begun in a future that was none: ended');
        $ask = $sign_in->();
        is $ask->()->code, 200, 'and signing in again works';
    };
}

subtest 'a challenge' => sub {
    clock(0);
    my $client    = $portal->client;
    my %body      = (method => 'challenge', serial => 'ab', signature => 'AAAA');
    my $challenge = $client->post('/api/challenges')->json;
    later(MINUTE);
    is_problem($client->post('/api/sessions', {%body, challenge => $challenge->{id}}), 401, 'certificate_unbound',
        'is looked at after a minute');
    later(2 * MINUTE);
    is_problem($client->post('/api/sessions', {%body, challenge => $challenge->{id}}), 401, 'bad_challenge',
        'and not after three');
};

clock(0);
settled($portal);
done_testing;
