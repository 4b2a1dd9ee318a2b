package Sandbox::Store;

# A collection in memory that is also a JSON file when there is a home
# folder. Changes are gathered for a moment and written to a new file that is
# then renamed, so that a reader never sees half a file and a burst of
# messages costs few writes.

use v5.36;
use Mojo::Base -base;
use warnings FATAL => 'all';

use Mojo::File qw(path);
use Mojo::IOLoop;
use Mojo::JSON qw(decode_json encode_json);
use Mojo::Log;
use Mojo::Util qw(steady_time);

# Writing may take at most about a tenth of the time, however large the file.
use constant {SHORTEST_PAUSE => 0.1, PAUSE_FACTOR => 10};

has 'home';
has log => sub { Mojo::Log->new };

# Each kind of store defines: file_name, dump (data to write), fill (takes
# it back).

sub file ($self) {
  return $self->home ? path($self->home)->child($self->file_name) : undef;
}

# Reads what an earlier run left. A damaged file is the operator's to look
# at: starting empty over it would lose what it held.
sub restore ($self) {
  my $file = $self->file;
  return 0 if !$file || !-e $file;
  my $data = eval { decode_json($file->slurp) };
  die "$file is damaged; repair it or move it away\n" if ref $data ne ref $self->dump;
  $self->fill($data);
  return 1;
}

sub changed ($self) {
  return if !$self->home || $self->{timer};
  $self->{timer} = Mojo::IOLoop->timer($self->{pause} // SHORTEST_PAUSE, sub { $self->flush });
  return;
}

sub flush ($self) {
  my $timer = delete $self->{timer} // return;
  Mojo::IOLoop->remove($timer);
  my $started = steady_time;
  my $written = eval { $self->_write; 1 };
  my $pause   = PAUSE_FACTOR * (steady_time() - $started);
  $self->{pause} = $pause > SHORTEST_PAUSE ? $pause : SHORTEST_PAUSE;
  return if $written;
  $self->log->error('cannot write ' . $self->file . ": $@");
  $self->changed;
  return;
}

# What is kept are names, numbers and codes: for the owner's eyes only.
sub _write ($self) {
  my $file = $self->file;
  my $new  = $file->sibling('.' . $file->basename . '.new');
  my $mask = umask 0077;
  my $done = eval { $new->spurt(encode_json($self->dump)); 1 };
  my $why  = $@;
  umask $mask;
  die $why if !$done;
  $new->move_to($file);
  return;
}

1;
