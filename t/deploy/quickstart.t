use v5.36;
use warnings FATAL => 'all';

# deploy/quickstart: what it refuses, what it says, and that it breaks nothing.

use Caportal::Test;
use Fcntl qw(LOCK_EX);
use File::Temp qw(tempdir);
use IO::Socket::IP;
use Mojo::JSON qw(decode_json);
use Test::More;

my $home = tempdir('cq.XXXXXX', DIR => '/tmp', CLEANUP => 1);
my $port = Caportal::Test->shared->port;
chmod 0755, $home;

# The stack alone: packages and build are t/run's.
sub stack ($command, %environment) {
    my ($at, $number) = ($environment{home} // $home, $environment{port} // $port);
    my $output = qx('$^X' deploy/stack.pl '$command' "\$PWD" '$at' '$number' 2>&1);
    return ($output, $? >> 8);
}

sub quickstart ($words, %environment) {
    local @ENV{qw(CAPORTAL_HOME CAPORTAL_PORT)} = ($environment{home} // $home, $environment{port} // $port);
    my $output = qx(deploy/quickstart $words 2>&1);
    return ($output, $? >> 8);
}

sub refused ($got, $pattern, $title) {
    my ($output, $status) = @$got;
    isnt $status, 0, "$title: refused";
    like $output, $pattern, '  and told why';
    return;
}

refused [quickstart('dance')], qr/deploy\/quickstart up/, 'an unknown command';
refused [quickstart('up', port => 'x')],     qr/must be a number/, 'a port that is none';
refused [quickstart('up', port => 65534)],   qr/must be a number/, 'a port without room for the next two';
refused [quickstart('demo')], qr/does not run/, 'a demonstration before anything runs';
refused [stack('up', home => "/tmp/a b")], qr/plain/, 'a home that configuration files cannot name';
refused [stack('up', home => '/tmp/' . 'x' x 100)], qr/too long/, 'a home too long for sockets';

{
    open my $lock, '>', "$home/.lock" or die $!;
    flock $lock, LOCK_EX;
    refused [quickstart('down')], qr/another quickstart is at work/, 'two at once';
}
{
    my $taken = IO::Socket::IP->new(LocalHost => '127.0.0.1', LocalPort => $port + 1, Listen => 1) or die $!;
    refused [stack('up')], qr/port @{[ $port + 1 ]} is taken/, 'a taken port';
    unlike +(stack('status'))[0], qr/mariadb/, 'and nothing was started';
}

is +(stack('up'))[1], 0, 'it starts';
my ($output, $status) = stack('up');
is $status, 0, 'started twice is no fault';
like $output, qr/already running: mariadb, redis, sandbox, inspector, signer, nginx/, 'and is told';
refused [stack('up', port => $port + 3)], qr/runs on port $port/, 'another port while it runs';

($output, $status) = quickstart('status --json');
my $at = decode_json($output);
is_deeply [sort keys %$at], [qw(ca certificate portal sandbox server_ca staff)], 'status for programs';
is $at->{portal}, "https://localhost:$port", 'with the address';
is grep({ -r $_->{cert} && -r $_->{key} } @{ $at->{staff} }), 7, 'and seven members of staff';

my ($redis) = do { open my $file, '<', "$home/run/redis.process" or die $!; split ' ', <$file> };
kill KILL => $redis;
select undef, undef, undef, 0.2;
like +(quickstart('status'))[0], qr/half of it runs: mariadb, sandbox, inspector, signer, nginx/, 'half of it';
($output, $status) = stack('up');
is $status, 0, 'is brought up again';
like $output, qr/starting the rest/, 'as told';

like +(quickstart('demo'))[0], qr/went from sign-in to a certificate sign-in/, 'the demonstration goes through';
like +(quickstart('down'))[0], qr/stopped: nginx, signer, inspector, sandbox, redis, mariadb/, 'it stops';
like +(quickstart('down'))[0], qr/nothing was running/, 'once';

done_testing;

END {
    my $status = $?;
    stack('down') if defined $home;
    $? = $status;
}
