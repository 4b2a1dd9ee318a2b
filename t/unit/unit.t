use v5.36;
use warnings FATAL => 'all';

# Runs the C unit tests, one program each; those that need stores get a database with the schema and a Redis.

use Caportal::Files qw(capture folder);
use Caportal::Process;
use Caportal::Test;
use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use Test::More;

my $root   = abs_path(dirname(__FILE__) . '/../..');
my $build  = $ENV{CAPORTAL_BUILD} // "$root/build";
my $shared = Caportal::Test->shared;
my $home   = folder($shared->folder_name . "/unit-$$");
my $socket = $shared->mariadb->socket;
my @names  = map { basename($_, '.c') } grep { !m{/seams\.c\z} } glob "$root/t/unit/*.c";

folder("$home/$_") for qw(run log);
my $redis = Caportal::Process->new(name => 'redis', run => "$home/run", log => "$home/log");
$redis->start(['redis-server', '--port', 0, '--unixsocket', "$home/run/redis.sock", '--save', '', '--dir', $home]);
$redis->wait_until(10, sub { -S "$home/run/redis.sock" });

$shared->mariadb->sql("CREATE DATABASE unit_$$ CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
capture("$build/caportalctl", 'migrate', '--mysql-socket', $socket, '--user', 'root', '--database', "unit_$$",
    '--dir', "$root/deploy/schema");

$ENV{CMOCKA_MESSAGE_OUTPUT}        = 'TAP';
$ENV{CAPORTAL_TEST_MYSQL_SOCKET}   = $socket;
$ENV{CAPORTAL_TEST_MYSQL_DATABASE} = "unit_$$";
$ENV{CAPORTAL_TEST_REDIS_SOCKET}   = "$home/run/redis.sock";

for my $name (@names) {
    my $output = qx('$build/t/unit/$name' 2>&1);
    my $status = $?;
    my $good   = () = $output =~ /^ok /gm;

    ok $status == 0 && $good > 0 && $output !~ /^not ok /m, "$name: $good tests" or diag $output;
}

$redis->stop;

done_testing;
