package Caportal::Fuzz;

# The fuzzers that `make fuzz` and `make afl` build: several at once for some seconds, each from its seeds and from what
# was worth keeping: t/fuzz/corpus/NAME, an input a line, in hexadecimal.

use v5.36;
use Caportal::Files qw(capture folder read_file write_file);
use Caportal::Sample qw(new_request);
use Cwd qw(abs_path);
use File::Basename qw(dirname);

my $root = abs_path(dirname(__FILE__) . '/../../..');

use constant WALKERS => map {"walk-$_"} qw(png jpeg bmp gif pdf);
use constant NAMES => WALKERS, qw(csr multipart gate-form);

# Longer inputs reach nothing that shorter ones do not.
use constant MOST_BYTES => 2048;

$ENV{ASAN_OPTIONS} //= 'quarantine_size_mb=16:abort_on_error=1:symbolize=' . (-x '/usr/bin/llvm-symbolizer-14' ? 1 : 0);

# home: a folder of its own, which need not be there yet.
sub new ($class, %given) {
    my $self = bless {%given}, $class;
    for my $name (NAMES) {
        folder("$self->{home}/$name/$_") for qw(seeds kept found crashes);
        symlink "$name/seeds", "$self->{home}/$1" if $name =~ /\A(?:walk|gate)-(.*)/;
        $self->_unpack($name);
    }
    capture("$root/build-fuzz/t/fuzz/seeds", $self->{home});
    $self->_requests;
    $self->_forms;
    return $self;
}

# Requests for certificates, of each kind of key.
sub _requests ($self) {
    my %algorithm = (
        p256 => [qw(ec -pkeyopt ec_paramgen_curve:P-256)],
        p384 => [qw(ec -pkeyopt ec_paramgen_curve:P-384)],
        sm2  => [qw(ec -pkeyopt ec_paramgen_curve:SM2)],
        rsa  => [qw(rsa:2048)],
    );
    for my $kind (sort keys %algorithm) {
        my $folder = folder("$self->{home}/csr/$kind");
        write_file("$self->{home}/csr/seeds/$kind", new_request($folder, @{ $algorithm{$kind} }));
    }
    return;
}

# Forms, each behind its Content-Type.
sub _forms ($self) {
    my @type  = ('multipart/form-data; boundary=x', 'multipart/form-data; charset=utf-8; boundary="a b"');
    my $field = qq{--x\r\nContent-Disposition: form-data; name="kind"\r\n\r\nlicence\r\n};
    my $file  = qq{--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n}
        . qq{Content-Type: image/png\r\n\r\n\x89PNG\r\n--\r\n-\r\n\r\n};
    my @forms = ("$type[0]\n$field$file--x--\r\n", "$type[0]\n\r\n$file--x--", "$type[0]\n$field--x \r\n",
        "$type[1]\n" . "$file--x--" =~ s/--x/--a b/gr, "$type[0]\n--x--",
        "$type[0]\n" . $file =~ s/; filename=/; filename*=UTF-8''%e2%82%ac.png; filename=/r . '--x--');
    write_file("$self->{home}/multipart/seeds/$_", $forms[$_]) for 0 .. $#forms;
    return;
}

sub corpus ($self, $name) { return "$root/t/fuzz/corpus/$name" }

sub _unpack ($self, $name) {
    my $number = 0;
    for my $line (-e $self->corpus($name) ? split(/\n/, read_file($self->corpus($name))) : ()) {
        write_file("$self->{home}/$name/kept/" . $number++, pack 'H*', $line);
    }
    return;
}

sub _folders ($self, $name, @which) { return map {"$self->{home}/$name/$_"} @which }

sub _arguments ($self, $name, $seconds) {
    return ("$root/build-fuzz/t/fuzz/$name", "-max_total_time=$seconds", '-max_len=' . MOST_BYTES, '-timeout=20',
        '-rss_limit_mb=1024', '-print_final_stats=1', "-artifact_prefix=$self->{home}/$name/crashes/",
        $self->_folders($name, qw(found seeds kept)));
}

sub _start ($self, $name, @command) {
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    open STDOUT, '>', "$self->{home}/$name/log" or die "$name: $!\n";
    open STDERR, '>&', \*STDOUT;
    exec { $command[0] } @command or die "$command[0]: $!\n";
}

# Runs them, so many at once: for each {name, good, runs, rate (a second), found (inputs), crashes (in hexadecimal), log}.
sub run ($self, $seconds, $jobs, @names) {
    my (%name, @results);
    my @waiting = @names;

    while (@waiting || %name) {
        while (@waiting && keys %name < $jobs) {
            my $name = shift @waiting;
            $name{ $self->_start($name, $self->_arguments($name, $seconds)) } = $name;
        }
        my $pid = wait;
        push @results, $self->_result(delete $name{$pid}, $?) if $name{$pid};
    }
    return sort { $a->{name} cmp $b->{name} } @results;
}

sub _result ($self, $name, $status) {
    my $log     = read_file("$self->{home}/$name/log");
    my %stat    = $log =~ /^stat::(\w+): +(\d+)$/mg;
    my @crashes = map { unpack 'H*', read_file($_) } glob "$self->{home}/$name/crashes/*";
    return {
        name    => $name,
        good    => $status == 0 && !@crashes,
        runs    => $stat{number_of_executed_units} // 0,
        rate    => $stat{average_exec_per_sec}     // 0,
        found   => scalar(() = glob "$self->{home}/$name/found/*"),
        crashes => \@crashes,
        log     => $log,
    };
}

# Of all inputs those that together reach what all of them reach become the kept ones: how many.
sub keep ($self, $name) {
    my $new = folder("$self->{home}/$name/new");
    capture("$root/build-fuzz/t/fuzz/$name", '-merge=1', '-max_len=' . MOST_BYTES, $new,
        $self->_folders($name, qw(kept found)));
    my @lines = sort { length $a <=> length $b || $a cmp $b } map { unpack 'H*', read_file($_) } glob "$new/*";
    folder(dirname($self->corpus($name)));
    write_file($self->corpus($name), join '', map {"$_\n"} @lines);
    return scalar @lines;
}

# The same program built for AFL++, for so many seconds: the crashes in hexadecimal, and how often it ran.
sub afl ($self, $name, $seconds) {
    my $out = "$self->{home}/$name/afl";
    local @ENV{qw(AFL_NO_UI AFL_NO_AFFINITY AFL_SKIP_CPUFREQ AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES)} = (1) x 4;
    local $ENV{ASAN_OPTIONS} = 'abort_on_error=1:symbolize=0:detect_leaks=0';
    my $log = capture('afl-fuzz', '-i', "$self->{home}/$name/seeds", '-o', $out, '-V', $seconds, '-g', 1, '-G', MOST_BYTES,
        '--', "$root/build-afl/t/fuzz/$name");
    my @crashes = map { unpack 'H*', read_file($_) } glob "$out/default/crashes/id*";
    my ($runs) = read_file("$out/default/fuzzer_stats") =~ /^execs_done\s*:\s*(\d+)/m;
    return {crashes => \@crashes, runs => $runs, log => $log, good => !@crashes && $runs > 0};
}

1;
