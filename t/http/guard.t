use v5.36;
use utf8;
use warnings FATAL => 'all';

# caportal_session in front of what is not the portal's own: a proxied application, files, pages. Who is signed in
# reaches it as headers that no client can forge.

use Caportal::Files qw(folder read_file write_file);
use Caportal::Test;
use Caportal::Test::Curl qw(curl);
use Caportal::Test::Edge qw(eventually settled);
use Test::More;

my ($socket, $log);

# The application says what it was told; its log says whether it was asked at all.
sub application ($text) {
    ($socket) = $text =~ m{unix:(\S+)/egress\.sock};
    ($log)    = $text =~ m{^\s*access_log (\S+)/access\.log}m;
    my $said = join '|', map {"$_=\$http_x_$_"} qw(account unit sign_in request_id);
    return <<"END";
    server {
        listen unix:$socket/app.sock;
        access_log $log/app.log;
        default_type text/plain;
        location / { return 200 "$said"; }
    }
END
}

sub guarded () {
    my $app = "proxy_pass http://unix:$socket/app.sock:/;";
    return <<"END";
        proxy_set_header X-Account    \$caportal_account;
        proxy_set_header X-Unit       \$caportal_unit;
        proxy_set_header X-Sign-In    \$caportal_sign_in;
        proxy_set_header X-Request-Id \$caportal_request_id;

        location /app/ {
            caportal_session required;
            access_log $log/guard.log guard;
            $app
            location /app/open/     { caportal_session off; $app }
            location /app/maybe/    { caportal_session optional; $app }
            location /app/inherits/ { $app }
        }
        location /maybe/ { caportal_session optional; $app }
        location /plain/ { $app }

        location /page/ {
            caportal_session required;
            error_page 401 /sign-in.html;
            $app
        }
        location = /sign-in.html { internal; return 401 "please sign in at \$caportal_account"; }
        location /moved/ {
            caportal_session required;
            error_page 401 = \@sign_in;
            $app
        }
        location \@sign_in { return 303 https://localhost/sign-in?to=\$uri; }

        location /ssi/ {
            caportal_session optional;
            ssi on;
            ssi_types *;
            alias $socket/../data/documents/;
        }
        location /asked/ {
            auth_request /check;
            error_page 401 403 = \@refused;
            $app
        }
        location /asked-known/ {
            caportal_session optional;
            auth_request /check;
            $app
        }
        location = /check      { internal; caportal_session required; alias $socket/../data/documents/note.txt; }
        location /asked-api/   { auth_request /api/session; $app }
        location \@refused     { return 401 refused; }
        location /mirrored/    { caportal_session required; mirror /api/sessions; $app }
END
}

my $portal = Caportal::Test->start(edit => sub ($text) {
    my $app = application($text);
    my $locations = guarded();
    $text =~ s{^    server_tokens}{    log_format guard '\$request_uri account=\$caportal_account unit=\$caportal_unit '
                     'by=\$caportal_sign_in id=\$caportal_request_id';\n    server_tokens}m;
    $text =~ s/^(        location = \/metrics)/$locations\n$1/m;
    $text =~ s/^(    include egress.conf;)/$app$1/m;
    return $text;
});
my $folder = folder($portal->home . '/guard', 0700);
my $base   = $portal->addresses->{portal};

write_file($portal->home . '/data/documents/note.txt', "a note\n");
write_file($portal->home . '/data/documents/page.shtml', join "\n", map {"<!--#include virtual=\"$_\" -->"}
    qw(/app/a /maybe/b /plain/c /api/session /api/catalog /check));

my $journey = $portal->journey;
$journey->step($_) for qw(registry sms_code sign_in person organization);

my $client = $journey->applicant;
my $unit   = $journey->{unit};
my $me     = $client->get('/api/session')->json->{account}{id};
my $cookie = $client->cookie;

sub ask ($path, %option) {
    my @cookies = map {"Cookie: $_"} grep {defined} $option{cookie}, @{ $option{cookies} // [] };
    return curl("$base$path", folder => $folder, ca => $portal->addresses->{server_ca}, %option,
        headers => [@cookies, @{ $option{headers} // [] }]);
}

my $mine = "__Host-caportal=$cookie";

# What the application was told, as {account, unit, sign_in, request_id}; nothing when it was not asked.
sub told ($answer) {
    return undef if $answer->{status} != 200;
    return {map { split /=/, $_, 2 } split /\|/, $answer->{body}};
}

# How many of the requests with a mark in their address the application has logged, which it does after its answer.
sub reached ($mark) { return -e "$log/app.log" ? scalar(() = read_file("$log/app.log") =~ /\b$mark\b/g) : 0 }

my $marks = 0;
sub new_mark () { return 'mark' . ++$marks }

# Whatever was asked before this has been logged, or never will be.
sub all_is_logged () {
    my $mark = new_mark();
    ask("/plain/x?$mark");
    return eventually(sub { reached($mark) });
}

is_deeply [map { defined $_ && length $_ > 0 } $unit, $me, $cookie], [(1) x 3], 'somebody is signed in';

for my $http (qw(1.1 2)) {
    my @http = (http => $http);

    subtest "HTTP/$http: who may pass" => sub {
        # path, status for nobody, status and account for somebody
        for my $row (
            ['/app/x',            401, 200, 1], ['/app/inherits/x', 401, 200, 1], ['/app/open/x', 200, 200, 0],
            ['/app/maybe/x',      200, 200, 1], ['/maybe/x',        200, 200, 1], ['/plain/x',    200, 200, 0],
            ['/documents/note.txt', 401, 200], ['/documents/none.txt', 401, 404], ['/app/../app/x', 401, 200, 1],
            ['/app/%6fpen/x',     200, 200, 0], ['//app/x', 401, 200, 1],
        ) {
            my ($path, $nobody, $somebody, $known) = @$row;
            my $mark   = new_mark();
            my $answer = ask("$path?$mark", @http);
            is $answer->{version}, $http, "$path: HTTP/$http";
            is $answer->{status}, $nobody, "$path: nobody";
            ok eventually(sub { reached($mark) == 1 }), "$path: the application was asked" if $nobody == 200;
            is told($answer)->{account}, '', "$path: as nobody" if $nobody == 200;

            $answer = ask($path, @http, cookie => $mine);
            is $answer->{status}, $somebody, "$path: somebody";
            is told($answer)->{account}, $known ? $me : '', "$path: and who" if defined $known;
            next if $nobody == 200;
            ok all_is_logged(), '...';
            is reached($mark), 0, "$path: the application was not asked for nobody";
        }
    };

    subtest "HTTP/$http: nobody can claim to be somebody" => sub {
        my @forged = (headers => ['X-Account: forged', 'X-Unit: forged', 'x-sign-in: forged', 'X-Request-Id: forged']);
        for my $path (qw(/maybe/x /app/open/x /plain/x)) {
            my $told = told(ask($path, @http, @forged));
            unlike join(' ', values %$told), qr/forged/, "$path: nobody";
            like $told->{request_id}, qr/\A[0-9a-f]{32}\z/, "$path: the request's id is ours";
        }
        my $told = told(ask('/app/x', @http, @forged, cookie => $mine));
        is_deeply [@$told{qw(account sign_in)}], [$me, 'sms'], 'somebody stays who it is';
        isnt told(ask('/app/x', @http, cookie => $mine))->{request_id}, $told->{request_id}, 'each request has its id';
    };

    subtest "HTTP/$http: cookies" => sub {
        my $other = $cookie =~ tr/A-Za-z/B-ZAb-za/r;
        # name, headers, whether they are the session
        for my $row (
            ['alone',                 [$mine], 1],
            ['among others',          ["a=b; $mine; c=d"], 1],
            ['in a header of its own', ['a=b', $mine], 1],
            ['unknown',               ["__Host-caportal=$other"]],
            ['twice',                 ["$mine; $mine"]],
            ['twice, two headers',    [$mine, $mine]],
            ['with a wrong one',      ["$mine; __Host-caportal=$other"]],
            ['behind a wrong one',    ["__Host-caportal=x; $mine"]],
            ['with an empty one',     ["__Host-caportal=; $mine"]],
            ['too short',             [substr $mine, 0, -1]],
            ['too long',              ["${mine}A"]],
            ['quoted',                [qq(__Host-caportal="$cookie")]],
            ['of another name',       ["__Host-caportal2=$cookie"]],
            ['its name in capitals',  ["__HOST-CAPORTAL=$cookie"]],
            ['with a space',          ["__Host-caportal= $cookie"]],
            ['no name',               ["=$cookie"]],
            ['no value',              ['__Host-caportal']],
            ['empty',                 ['__Host-caportal=']],
            ['only separators',       [';;;; ; ;']],
            ['long',                  ['__Host-caportal=' . 'A' x 3000]],
            ['with odd characters',   ["__Host-caportal=" . "\xff\xfe%00'\"" . substr $cookie, 9]],
            ['inside another value',  ["a=$mine"]],
        ) {
            my ($name, $cookies, $session) = @$row;
            my $answer = ask('/app/x', @http, cookies => $cookies);
            is $answer->{status}, $session ? 200 : 401, $name;
            is told(ask('/maybe/x', @http, cookies => $cookies))->{account}, $session ? $me : '', "$name: optional";
        }
    };

    subtest "HTTP/$http: pages for those who have to sign in" => sub {
        my $answer = ask('/page/x', @http);
        is $answer->{status}, 401, 'a page of its own';
        is $answer->{body}, 'please sign in at ', 'says so';
        is told(ask('/page/x', @http, cookie => $mine))->{account}, $me, 'not for somebody';
        $answer = ask('/moved/x', @http);
        is $answer->{status}, 303, 'or a redirect';
        is $answer->{headers}{location}[0], 'https://localhost/sign-in?to=/moved/x', 'there';
        is told(ask('/moved/x', @http, cookie => $mine))->{account}, $me, 'not for somebody';
        is ask('/page/x', @http, json => {a => 'x' x 30000})->{status}, 401, 'a body does not matter';
        is ask('/app/x', @http, json => {a => 'x' x 30000}, cookie => $mine)->{status}, 200, 'to either';
    };

    subtest "HTTP/$http: requests within requests" => sub {
        my $nobody   = ask('/ssi/page.shtml', @http)->{body};
        my $somebody = ask('/ssi/page.shtml', @http, cookie => $mine)->{body};
        unlike $nobody, qr/a note|account=[^|]/, 'a page for nobody includes nothing that is guarded';
        is scalar(() = $nobody =~ /account=\|/g), 2, 'but what is not';
        like $somebody, qr/account=\Q$me\E\|.*account=\Q$me\E\|.*"account":.*"halls":.*a note/s,
            'for somebody it includes all';

        is ask('/asked/x', @http)->{status}, 401, 'a guard by auth_request: nobody';
        is ask('/asked/x', @http, cookie => $mine)->{status}, 200, 'somebody';
        is ask('/asked-known/x', @http)->{status}, 401, 'after a look of its own: nobody';
        is told(ask('/asked-known/x', @http, cookie => $mine))->{account}, $me, 'somebody';
        is ask('/asked-api/x', @http)->{status}, 401, 'by an operation: nobody';
        is ask('/asked-api/x', @http, cookie => $mine)->{status}, 200, 'somebody';
        is told(ask('/mirrored/x', @http, cookie => $mine, json => {method => 'sms'}))->{account}, $me, 'mirrored';
        is ask('/mirrored/x', @http, json => {method => 'sms'})->{status}, 401, 'and nothing for nobody';
    };
}

subtest 'the session in the log' => sub {
    ask('/app/logged', cookie => $mine);
    ask('/app/logged-nobody');
    ok eventually(sub { read_file("$log/guard.log") =~ /logged-nobody/ }), 'logged';
    my $text = read_file("$log/guard.log");
    like $text, qr{^/app/logged account=\Q$me\E unit=\S+ by=sms id=[0-9a-f]{32}$}m, 'somebody';
    like $text, qr{^/app/logged-nobody account=- unit=- by=- id=[0-9a-f]{32}$}m, 'nobody';
    unlike $text, qr/\Q$cookie\E/, 'never the cookie';
};

subtest 'the unit of who has one' => sub {
    my $password = 'a long word for this test';
    my $answer   = $client->request(PUT => '/api/account/password', json => {password => $password});
    like $answer->code, qr/\A20\d\z/, 'a password is set' or diag $answer->body;

    my $again = $portal->client;
    is $again->post('/api/sessions', {method => 'password', login => $journey->{phone}, password => $password})->code,
        201, 'signed in by it';
    my $told = told(ask('/app/x', cookie => '__Host-caportal=' . $again->cookie));
    is_deeply [@$told{qw(account unit sign_in)}], [$me, $unit, 'password'], 'account, unit and way of signing in';
};

subtest 'without Redis' => sub {
    $portal->kill('redis');
    for my $http (qw(1.1 2)) {
        for my $path (qw(/app/x /documents/note.txt /page/x /moved/x /asked/x)) {
            my $mark   = new_mark();
            my $answer = ask("$path?$mark", http => $http, cookie => $mine);
            is $answer->{status}, $path eq '/asked/x' ? 500 : 503, "HTTP/$http $path: not now";
            like $answer->{headers}{'retry-after'}[0], qr/\A[1-9]\d*\z/, 'when to come again' if $path ne '/asked/x';
            ok all_is_logged(), '...';
            is reached($mark), 0, 'the application was not asked';
            is ask($path, http => $http)->{status}, $path eq '/moved/x' ? 303 : 401, 'without a cookie as ever';
        }
        is told(ask('/maybe/x', http => $http, cookie => $mine))->{account}, '', "HTTP/$http: optional: nobody";
        is ask('/plain/x', http => $http, cookie => $mine)->{status}, 200, "HTTP/$http: off: as ever";
    }
    $portal->restart('redis');
    ok eventually(sub { ask('/app/x', cookie => $mine)->{status} == 200 }), 'Redis is back, and the session';
};

settled($portal);
done_testing;
