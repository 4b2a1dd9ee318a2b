use v5.36;
use utf8;
use warnings FATAL => 'all';

# caportal_status: what was asked and answered, counted by operation and class, in both formats, across a reload.

use Caportal::Files qw(folder);
use Caportal::Test;
use Caportal::Test::Curl qw(curl);
use Caportal::Test::Edge qw(reloaded settled);
use Test::More;

use constant CLASSES => qw(2xx 3xx 4xx 5xx);

# Without a cache a session needs Redis, so that one which hangs makes a request wait.
my $portal = Caportal::Test->start(
    edit => sub ($text) { $text =~ s{^(\s*caportal_session_cache\s+)\S+;}{$1off;}mr });
my $client = $portal->client;
my $folder = folder($portal->home . '/status', 0700);

sub status () { return $client->get('/status')->json->{operations} }

# What the named operations counted since an earlier look: {operation => {class => count}}, zeros left out.
sub since ($before) {
    my $now = status();
    my %more;
    for my $operation (keys %$now) {
        for my $class (CLASSES) {
            my $count = $now->{$operation}{$class} - $before->{$operation}{$class};
            $more{$operation}{$class} = $count if $count;
        }
    }
    return \%more;
}

subtest 'json' => sub {
    my $answer = $client->get('/status');
    is $answer->code, 200, 'is answered';
    is $answer->headers->content_type, 'application/json; charset=utf-8', 'as JSON';
    is $answer->headers->content_length, length $answer->body, 'with its length';
    like $answer->json->{worker}, qr/\A\d+\z/, 'it names the worker';

    my @rows = values %{ status() };
    cmp_ok scalar @rows, '>', 50, 'there is a row for each operation';
    is_deeply [grep { join(' ', sort keys %$_) ne '2xx 3xx 4xx 5xx msec' } @rows], [], 'of the same form';
};

subtest 'each answer counts once, in its class' => sub {
    my $before = status();
    my @asked = (
        ['getCatalog',    '2xx', 3, sub { $client->get('/api/catalog') }],
        ['getCatalog',    '2xx', 2, sub { $client->request(HEAD => '/api/catalog') }],
        ['getHealth',     '2xx', 1, sub { $client->get('/healthz') }],
        ['getSession',    '4xx', 4, sub { $client->get('/api/session') }],
        ['createSession', '4xx', 2, sub { $client->post('/api/sessions', {method => 'sms'}) }],
        ['createSession', '4xx', 1, sub { $client->post('/api/sessions', {method => 'x' x 40000}) }],
        ['createSession', '4xx', 1, sub { $client->post('/api/sessions', {}, origin => undef) }],
        ['none',          '4xx', 2, sub { $client->get('/api/nothing') }],
        ['none',          '4xx', 1, sub { $client->delete('/api/catalog') }],
        ['none',          '4xx', 1, sub { $client->get('/staff/api/orders', origin => undef) }],
    );
    my %expected;
    for my $row (@asked) {
        my ($operation, $class, $times, $ask) = @$row;
        $ask->() for 1 .. $times;
        $expected{$operation}{$class} += $times;
    }
    delete $expected{none};
    $expected{none}{'4xx'} = 3;
    is_deeply since($before), \%expected, 'as asked';

    $before = status();
    my $signed_in = $portal->sign_in;
    $signed_in->get('/api/session');
    is_deeply since($before), {sendSmsCode => {'2xx' => 1}, createSession => {'2xx' => 1}, getSession => {'2xx' => 1}},
        'operations on pool threads too';

    $before = status();
    $portal->process('redis')->signal('STOP');
    is $signed_in->get('/api/session')->code, 503, 'Redis hangs';
    $portal->process('redis')->signal('CONT');
    is_deeply since($before), {getSession => {'5xx' => 1}}, 'and that is a 5xx';
};

# {name{labels} => value} of the text format, after a look at each line.
sub metrics () {
    my $answer = $client->get('/metrics');
    is $answer->code, 200, 'metrics';
    is $answer->headers->content_type, 'text/plain; version=0.0.4; charset=utf-8', 'their type';

    my (%value, %type, @bad, $family);
    for my $line (split /\n/, $answer->body) {
        if ($line =~ /\A# HELP ([a-z_]+) \S.*\z/) { $family = $1 }
        elsif ($line =~ /\A# TYPE ([a-z_]+) (counter|gauge|histogram)\z/ && $1 eq $family) { $type{$1} = $2 }
        elsif ($line =~ /\A([a-z_]+) (\d+)\z/ && $1 eq $family && !exists $value{$1}) { $value{$1} = $2 }
        elsif ($line =~ /\A(([a-z_]+)\{([a-z]+="[\w.+]+",?)+\}) (\d+(?:\.\d+)?)\z/ && !exists $value{$1}
            && index($2, $family) == 0) { $value{$1} = $4 }
        else { push @bad, $line }
    }
    is_deeply \@bad, [], 'every line is well formed and there once';
    is_deeply \%type, {
        caportal_requests_total => 'counter', caportal_request_seconds => 'histogram',
        caportal_events_total => 'counter',
        (map { ("caportal_$_" => 'counter') } qw(session_cache_hits_total session_cache_misses_total
            session_cache_changes_total redis_refused_total)),
        (map { ("caportal_$_" => 'gauge') } qw(session_cache_entries redis_connected_workers session_tracked_workers)),
    }, 'all families';
    like $answer->body, qr/\n\z/, 'the last line ends';
    return \%value;
}

subtest 'prometheus' => sub {
    my $value = metrics();
    my $json  = status();
    my @wrong;
    for my $operation (sort keys %$json) {
        my $label = qq(operation="$operation");
        my @classes = map { $value->{qq(caportal_requests_total{$label,class="$_"})} // 'none' } CLASSES;
        my @buckets = map { $value->{qq(caportal_request_seconds_bucket{$label,le="$_"})} // 'none' }
            qw(0.001 0.005 0.010 0.050 0.100 0.500 1.000 5.000 +Inf);
        my $count = $value->{"caportal_request_seconds_count{$label}"};
        my $total = 0;
        $total += $_ for @classes;

        push @wrong, "$operation: classes @classes" if "@classes" ne "@{$json->{$operation}}{+CLASSES}";
        push @wrong, "$operation: buckets @buckets" if grep { $buckets[$_] < $buckets[$_ - 1] } 1 .. $#buckets;
        push @wrong, "$operation: count $count, buckets $buckets[-1], classes $total"
            if $count != $total || $count != $buckets[-1];
        push @wrong, "$operation: sum" if $value->{"caportal_request_seconds_sum{$label}"} * 1000
            - $json->{$operation}{msec} > 0.5;
    }
    is_deeply \@wrong, [], 'the numbers agree with each other and with JSON';
    cmp_ok $value->{'caportal_request_seconds_sum{operation="getSession"}'}, '>=', 0.9, 'waiting counts as time';
    cmp_ok $value->{'caportal_request_seconds_bucket{operation="getSession",le="0.500"}'}, '<',
        $value->{'caportal_request_seconds_bucket{operation="getSession",le="5.000"}'}, 'in its bucket';
};

subtest 'a reload keeps the counters' => sub {
    my $before = status();
    ok reloaded($portal), 'reloaded';
    is_deeply since($before), {}, 'nothing is lost';
    $client->get('/api/catalog');
    is_deeply since($before), {getCatalog => {'2xx' => 1}}, 'and the counting goes on';
};

subtest 'methods' => sub {
    for my $path (qw(/status /metrics)) {
        for my $http (qw(1.1 2)) {
            my @how = (folder => $folder, ca => $portal->addresses->{server_ca}, http => $http);
            my $url  = $portal->addresses->{portal} . $path;
            my $head = curl($url, @how, method => 'HEAD');
            is $head->{status}, 200, "$path over HTTP/$http: HEAD";
            cmp_ok $head->{headers}{'content-length'}[0], '>', 1000, "$path over HTTP/$http: its length";
            is curl($url, @how, method => $_, body => 'x')->{status}, 405, "$path over HTTP/$http: $_"
                for qw(POST PUT DELETE);
            is curl($url, @how)->{version}, $http, "$path over HTTP/$http: GET";
        }
    }
};

settled($portal);
done_testing;
