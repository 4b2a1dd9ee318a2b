use v5.36;
use warnings FATAL => 'all';

# What a process that decodes cannot do: each forbidden thing is tried, in the same cage, by a program made for it; and
# the children of the real program are seen to be in it.

use Caportal::Test::Inspector;
use Caportal::Test::Picture qw(png);
use Test::More;

my $class = 'Caportal::Test::Inspector';
my $sys   = 'signal 31';    # SIGSYS

my %expected = (
    nothing => 'returned',
    (map { $_ => $sys } qw(socket unix_socket connect openat open stat unlink execve fork clone kill ptrace prctl
        setrlimit executable_memory make_executable io_uring compat_call)),
    spin            => 'signal 24',    # SIGXCPU
    write_much      => 'signal 25',    # SIGXFSZ
    take_memory     => 'refused',
    use_descriptors => 'refused',
    see_others      => 'refused',
);

# AddressSanitizer itself needs some of the calls and has no limit of addresses.
delete @expected{qw(openat prctl setrlimit take_memory)} if $class->is_sanitized;

for my $action (sort keys %expected) {
    for my $bare ([], ['bare']) {
        is $class->run('cage_probe', @$bare, $action), "$expected{$action}\n",
            "$action" . (@$bare ? ', by filter and limits alone' : '');
    }
}

my $inspector = $class->start(children => 3);
my $parent    = $inspector->pid;
my @children  = $inspector->children;
my $nobody    = getpwnam 'nobody';

is @children, 3, 'children are there before the first file';
for my $pid (@children) {
    my %is = map { $_ => $inspector->status_of($pid, $_) } qw(Seccomp NoNewPrivs CapEff CapPrm CapBnd Uid Gid);
    is $is{Seccomp},    2, 'a child is under the filter';
    is $is{NoNewPrivs}, 1, 'gains no rights';
    like $is{$_}, qr/\A0+\z/, "has no capability ($_)" for qw(CapEff CapPrm CapBnd);
    is $is{Uid}, $nobody, 'is another user' if $> == 0;

    like readlink("/proc/$pid/root"), qr/\(deleted\)\z/, 'its root is a folder that is gone';
    isnt readlink("/proc/$pid/ns/$_"), readlink("/proc/$$/ns/$_"), "its own namespace ($_)" for qw(net ipc uts);

    open my $environment, '<', "/proc/$pid/environ" or die $!;
    my $text = join '', <$environment>;
    unlike $text, qr/[^\0]/, 'no environment';

    open my $limits, '<', "/proc/$pid/limits" or die $!;
    my %limit = map { /^(Max .+?)\s{2,}(\S+)/ ? ($1 => $2) : () } <$limits>;
    is $limit{'Max cpu time'},       2,             'limited: CPU time';
    is $limit{'Max file size'},      64 * 2**20,    'limited: file size';
    is $limit{'Max core file size'}, 0,             'limited: core';
    is $limit{'Max open files'},     16,            'limited: descriptors';
    is $limit{'Max processes'},      0,             'limited: processes';
    is $limit{'Max address space'},  256 * 2**20,   'limited: addresses' if !$class->is_sanitized;

    my @open = map { readlink } glob "/proc/$pid/fd/*";
    my @odd  = grep { !m{\A(?:socket:|/dev/null\z|/usr/share/(?:fonts|poppler)/|/usr/local/share/fonts/)} } @open;
    is "@odd", '', 'open: its connection, nothing, fonts and character maps';
    is +(grep {/\Asocket:/} @open), 1, 'one connection';
}

isnt readlink("/proc/$parent/ns/net"), readlink("/proc/$$/ns/net"), 'the parent has no network either';
is $inspector->status_of($parent, 'Uid'), $nobody, 'nor is it root' if $> == 0;
like $inspector->status_of($parent, 'CapEff'), qr/\A0+\z/, 'and has no capability';

kill KILL => $parent;
ok $inspector->wait_for('the children to go', sub { !grep { kill 0, $_ } @children }), 'children die with their parent';

$inspector->stop;

# As in a container, whose root may not make namespaces.
SKIP: {
    skip 'not root', 6 if $> != 0;
    my $contained = $class->start(under => [qw(setpriv --inh-caps=-sys_admin --bounding-set=-sys_admin)]);
    like $contained->log, qr/namespaces .* denied here/, 'without the right to namespaces it says so';
    is $contained->verdict('png', png()), 'ok', 'and works';
    my ($child) = $contained->children;
    is $contained->status_of($child, 'Seccomp'), 2, 'under the filter';
    like readlink("/proc/$child/root"), qr/\(deleted\)\z/, 'in a folder that is gone';
    is $contained->status_of($child, 'Uid'), $nobody, 'as another user';
    like $contained->status_of($child, 'CapBnd'), qr/\A0+\z/, 'without any capability';
    $contained->stop;
}

done_testing;
