#!/usr/bin/env perl

# The part of deploy/quickstart behind packages and build: stack.pl COMMAND ROOT HOME [PORT]

use v5.36;
use FindBin qw($RealBin);
use lib "$RealBin/lib";

use Caportal::Owners;
use Caportal::Stack;
use JSON::PP ();
use POSIX qw(strftime);

use constant PORT => 8443;

my ($command, $root, $home, $wanted_port) = @ARGV;

# A home keeps the port that it was started with until another one is asked for.
my $home_port = Caportal::Stack->port_of_home($home);
my $port      = $wanted_port || $home_port || PORT;

sub stack ($owners = Caportal::Owners->alone) {
    return Caportal::Stack->new(root => $root, home => $home, port => $port, owners => $owners);
}

sub names (@services) { return join ', ', map { $_->process->name } @services }

sub up () {
    my @before = stack()->running;
    my $all    = stack()->services;

    die "$home runs on port $home_port: \"deploy/quickstart down\" first, or leave CAPORTAL_PORT as it was\n"
        if @before && $home_port && $home_port != $port;
    say "already running: ", names(@before) if @before;
    return 1 if @before == $all;
    say 'only half of it runs: starting the rest' if @before;

    my ($owners, $why_not) = Caportal::Owners->for_folders($home, "$root/build");
    say $why_not if $why_not;

    my $stack = stack($owners);
    return 1 if eval { $stack->up(sub ($step) { say $step }); 1 };

    # What this command started goes again; what ran before stays.
    my $fault = $@;
    my %stays = map { $_->process->name => 1 } @before;
    $_->process->stop for grep { !$stays{ $_->process->name } } reverse $stack->running;
    die $fault;
}

sub demo () {
    require Caportal::Demo;
    my $stack = stack();
    my %runs = map { $_->process->name => 1 } $stack->running;
    die "the portal does not run: \"deploy/quickstart up\" starts it\n" if !$runs{nginx};

    binmode STDOUT, ':encoding(UTF-8)';
    STDOUT->autoflush;
    my $folder = "$home/demo/" . strftime('%Y%m%d-%H%M%S', localtime);
    return Caportal::Demo->run(addresses => $stack->addresses, folder => $folder);
}

sub status () {
    my $stack   = stack();
    my @running = $stack->running;
    my $at      = $stack->addresses;

    say @running == $stack->services ? 'running' : @running ? 'half of it runs: ' . names(@running) : 'not running';
    say "  portal              $at->{portal}";
    say "  with certificates   $at->{certificate}";
    say "  sandbox, its inbox  $at->{sandbox}";
    say "  trust for HTTPS     $at->{server_ca}";
    say "  certificates        $at->{ca}";
    say "  staff               $home/ca/staff";
    say "  logs                $home/log";
    return @running == $stack->services;
}

sub status_json () {
    print JSON::PP->new->canonical->pretty->encode(stack()->addresses);
    return stack()->running == stack()->services;
}

sub down () {
    my @stopped = stack()->down;
    say @stopped ? 'stopped: ' . join ', ', @stopped : 'nothing was running';
    return 1;
}

STDOUT->autoflush;
my %commands = (up => \&up, demo => \&demo, status => \&status, 'status--json' => \&status_json, down => \&down);
my $good     = eval { $commands{$command}->() };
print STDERR "quickstart: $@" if $@;
exit !$good;
